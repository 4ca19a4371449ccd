import HubAdapters
import HubModels
public import HubBundle
public import HubWords
public import HubTensor
public import HubTokenizers
public import HubTransformer

/// A base model that is loaded, with its tokenizer: frozen, shared by any number of compositions and threads.
public struct Base: Sendable {
  /// What the registry or the program calls it.
  public let name: String
  /// What it is, as bundles say on which base they were trained.
  public let identity: Manifest.Base
  /// The transformer with its frozen weights.
  public let model: any BaseModel
  /// What cuts texts into the model's tokens.
  public let tokenizer: any Tokenizer
  /// The kernels, threads and memory that passes over the model use.
  public let engine: Engine
  /// Where its files lie.
  public let folder: String
  /// The checkpoint's own head that names words, of a model that writes; `nil` if it has none.
  let writingHead: Result<(any Head)?, Failure>
  /// The labels that the checkpoint's own head has, for heads that bring none; `nil` if it names none.
  public let labels: [String]?

  /// Loads a Hugging Face checkpoint folder.
  ///
  /// - Parameters:
  ///   - fingerprint: what ``Checkpoint/fingerprint()`` gave when the model was registered; computed if `nil`
  ///   - precision: of products with the model's weights; adapters, norms and heads stay in float32
  ///   - cache: where the kernels' form of large models' weights is kept for the next time
  /// - Throws: ``Failure``: files missing or malformed, a model or tokenizer that is not supported.
  public init(
    name: String, folder: String, fingerprint: Digest? = nil, precision: Precision = .float32,
    cache: PackedCache? = nil, engine: Engine
  ) throws {
    let checkpoint = try Checkpoint(folder: folder)
    model = try checkpoint.load(engine: engine)
    tokenizer = try TokenizerFile.load(folder: folder)
    labels = Self.labels(checkpoint.configuration)
    self.name = name
    self.folder = folder
    self.engine = engine
    writingHead = Self.writingHead(of: checkpoint, model, engine)
    let fingerprint = fingerprint ?? checkpoint.fingerprint()
    identity = Manifest.Base(
      architecture: try checkpoint.configuration.string("model_type"), name: name, hiddenSize: model.shape.hiddenSize,
      layers: model.shape.layers, encoderLayers: model.shape.encoderLayers, fingerprint: fingerprint)
    let context = Context(engine, precision: precision)
    if let cache { cache.prepare(model, fingerprint: fingerprint, in: context) } else { model.prepare(in: context) }
  }
}

extension Base {
  /// What is wrong with the head is said when something is to be written.
  private static func writingHead(
    of checkpoint: Checkpoint, _ model: any BaseModel, _ engine: Engine
  ) -> Result<(any Head)?, Failure> {
    guard model.writes else { return .success(nil) }
    do {
      guard let stored = try CheckpointHead(checkpoint) else { return .success(nil) }
      return .success(
        try Heads.load(JSONObject(stored.configuration), stored.weights, shape: model.shape, engine: engine))
    } catch {
      return .failure(error as? Failure ?? Failure(.missingHead, "\(error)"))
    }
  }

  /// `id2label`, in the order of the ids; what Hugging Face writes where nobody named any does not count.
  private static func labels(_ configuration: JSONObject) -> [String]? {
    guard let entries = configuration.members["id2label"]?.object?.entries else { return nil }
    let byID = Dictionary(
      entries.compactMap { entry in Int(entry.key).flatMap { id in entry.value.string.map { (id, $0) } } }
    ) {
      first, _ in first
    }
    let labels = entries.indices.compactMap { byID[$0] }
    guard labels.count == entries.count, Set(labels).count == labels.count,
      labels.enumerated().contains(where: { $1 != "LABEL_\($0)" })
    else { return nil }
    return labels
  }
}

extension Failure.Code {
  /// An adapter was trained on another base model.
  public static let wrongBase = Self("setup/wrong-base", .refused)
}

extension Manifest.Base {
  /// Checks that an adapter trained on this base may act on `other`.
  ///
  /// Equal fingerprints fit. Without a fingerprint, as in files of other libraries, architecture and sizes must agree.
  /// A fingerprint that differs is another set of weights: refused unless `allowingOtherWeights`.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongBase``.
  func checkFits(_ other: Manifest.Base, allowingOtherWeights: Bool) throws {
    if let fingerprint, fingerprint == other.fingerprint { return }
    func refuse(_ what: String, _ own: String, _ others: String, hint: String) -> Failure {
      Failure(
        .wrongBase,
        "the adapter was trained on a base with the \(what) \(own); \(other.name ?? "this one") has \(others)",
        hint: hint)
    }
    let otherModel = "choose the base model that the adapter was trained on"
    let architectures = [architecture] + (self.other["alternatives"]?.strings ?? [])
    guard architectures.contains(other.architecture) else {
      throw refuse("architecture", architecture, other.architecture, hint: otherModel)
    }
    guard hiddenSize == other.hiddenSize else {
      throw refuse("hidden size", "\(hiddenSize)", "\(other.hiddenSize)", hint: otherModel)
    }
    if let layers, let otherLayers = other.layers, layers != otherLayers {
      throw refuse("layers", "\(layers)", "\(otherLayers)", hint: otherModel)
    }
    guard let fingerprint, let otherFingerprint = other.fingerprint, !allowingOtherWeights else { return }
    throw refuse(
      "fingerprint", fingerprint.short, otherFingerprint.short,
      hint: "the architecture is the same, but the weights differ: --allow-base-mismatch tries it anyway")
  }
}
