import HubModels
import HubAdapters
import HubRegistry
import HubTensor
import HubTokenizers
import HubTransformer
public import HubWords

/// Makes vectors of texts, such that texts which mean the same have vectors that point the same way (Reimers and
/// Gurevych 2019).
///
/// ```swift
/// let embedder = try TextEmbedder(hub, on: hub.baseModel("minilm"))
/// let vectors = try embedder.embeddings(of: ["a cat", "a dog"]).map { try $0.get() }
/// ```
public struct TextEmbedder: Sendable {
  /// How states become vectors.
  public let form: EmbeddingForm
  /// The numbers of a vector.
  public var width: Int { base.model.shape.hiddenSize }
  private let base: Base
  private let setup: Setup?

  /// - Parameters:
  ///   - composition: the adapters; `nil` for the base model alone
  ///   - form: how it is done; as the model's files say if `nil`
  /// - Throws: ``Failure``: names that are not installed, a setup that gives several answers, files that ask for what
  ///   is not supported.
  public init(
    _ hub: Hub, on base: Base, composition: Composition? = nil, form: EmbeddingForm? = nil,
    allowingOtherWeights: Bool = false
  ) throws {
    guard !(base.model is any EncoderDecoder) else {
      throw Failure(
        .unsupportedEmbedding, "embeddings of models with an encoder and a decoder are not supported", at: base.name)
    }
    self.base = base
    self.form = try form ?? EmbeddingForm(ofModel: base.folder)
    let assembly = Assembly(
      registry: hub.registry, identity: base.identity, shape: base.model.shape, engine: base.engine,
      allowingOtherWeights: allowingOtherWeights)
    setup = try composition.map(hub.registry.expanded).map { try assembly.setup($0.setup) }
    guard setup?.copies ?? 1 == 1, !(setup?.dividesBatch ?? false) else {
      throw Failure(
        .unsupportedEmbedding, "a setup that runs several adapters beside each other gives no single vector")
    }
  }

  /// A vector for each text, in their order; texts share passes.
  ///
  /// - Returns: vectors of ``width``; for a text that the model does not take, what is wrong with it
  /// - Throws: ``Failure`` if the model itself fails.
  public func embeddings(of texts: [String]) throws -> [Result<[Float], Failure>] {
    var results: [Result<[Float], Failure>] = [], pending: [Encoding] = [], tokens = 0
    func flush() throws {
      results += try vectors(pending)
      (pending, tokens) = ([], 0)
    }
    for text in texts {
      do {
        let encoding = try encoding(of: text)
        pending.append(encoding)
        tokens += encoding.count
        if tokens >= Self.batchTokens { try flush() }
      } catch let failure as Failure {
        try flush()
        results.append(.failure(failure))
      }
    }
    try flush()
    return results
  }

  private static let batchTokens = 2048

  private func encoding(of text: String) throws -> Encoding {
    let longest = base.model.maximumLength - (setup?.takenPositions ?? 0), text = form.prompt + text
    let encoding = try base.tokenizer.encode(
      form.lowercases ? text.lowercased() : text, pair: nil, maxLength: form.maximumLength.map { min($0, longest) })
    guard (1...longest).contains(encoding.count) else {
      throw Failure(
        .overlongText, "the text has \(encoding.count) tokens, and the model takes 1 to \(longest)",
        hint: "cut it with --max-length \(longest)")
    }
    return encoding
  }

  private func vectors(_ encodings: [Encoding]) throws -> [Result<[Float], Failure>] {
    if encodings.isEmpty { return [] }
    let tokens = TokenBatch(encodings.map { (ids: $0.ids.map(Int.init), typeIDs: $0.typeIDs.map(Int.init)) })
    let context = Context(base.engine)
    let hidden =
      try setup.map {
        try base.model(tokens, with: ComposedAdapters($0, for: tokens.sequences), in: context)
      } ?? base.model(tokens, with: NoInterventions(), in: context)
    let all = setup?.lengthened(tokens.sequences) ?? tokens.sequences
    return (0..<all.count).map { index in
      // What a prompt puts before the text is not the text.
      let rows = (all[index].upperBound - encodings[index].count)..<all[index].upperBound
      let vector = pooled(rows.map { hidden.row($0) })
      guard vector.allSatisfy(\.isFinite) else {
        return .failure(Failure(.notFinite, "the embedding is not finite: NaN, or beyond what float32 holds"))
      }
      return .success(vector)
    }
  }

  private func pooled(_ rows: [[Float]]) -> [Float] {
    var vector: [Float]
    switch form.pooling {
    case .cls: vector = rows[0]
    case .last: vector = rows[rows.count - 1]
    case .max: vector = rows.dropFirst().reduce(rows[0]) { zip($0, $1).map { Swift.max($0, $1) } }
    case .mean: vector = Self.sum(rows) { _ in 1 / Float(rows.count) }
    case .meanSqrtLength: vector = Self.sum(rows) { _ in 1 / Float(rows.count).squareRoot() }
    case .weightedMean:
      let total = Float(rows.count * (rows.count + 1) / 2)
      vector = Self.sum(rows) { Float($0 + 1) / total }
    }
    guard form.normalizes else { return vector }
    // As in PyTorch, a vector of zeros stays one.
    let length = Swift.max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
    for index in vector.indices { vector[index] /= length }
    return vector
  }

  private static func sum(_ rows: [[Float]], _ weight: (Int) -> Float) -> [Float] {
    var sum = [Float](repeating: 0, count: rows[0].count)
    for (place, row) in rows.enumerated() {
      let weight = weight(place)
      for column in sum.indices { sum[column] += weight * row[column] }
    }
    return sum
  }
}
