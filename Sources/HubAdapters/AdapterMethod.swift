public import HubManifest
public import HubTensor
public import HubTransformer

extension Failure.Code {
  /// A configuration names a method, or an option of one, that Dovetail does not have.
  public static let unsupportedAdapter = Self("adapter/unsupported", .badData)
  /// A value in a configuration is out of range.
  public static let invalidConfiguration = Self("adapter/configuration", .badData)
  /// An adapter would act nowhere on this base model.
  public static let idleAdapter = Self("adapter/idle", .badData)
}

/// An adapter of one method, loaded for one base model: its configuration, its weights, and what it does at the sites
/// it uses. One file under `Methods/`, one line in ``AdapterMethods``.
public protocol AdapterMethod: Sendable {
  /// The value of `architecture` in AdapterHub's configurations; `nil` where the key is absent.
  static var architecture: String? { get }

  /// - Parameters:
  ///   - configuration: AdapterHub's keys
  ///   - shape: the base model
  ///   - weights: the names of the bundle format
  /// - Throws: ``Failure`` that names the key or the tensor that is wrong.
  init(configuration: JSONObject, shape: BaseShape, weights: ParameterSource) throws

  /// The sites where it acts, besides the embeddings.
  var sites: Set<Site> { get }

  /// What it does at the end of a sublayer; `nil` where it does nothing.
  func sublayerAdapter(at site: Site) -> (any SublayerAdapter)?

  /// What it does to the embedding output; `nil` if nothing.
  var embeddingAdapter: (any EmbeddingAdapter)? { get }

  /// All weights, in the order of the file.
  var parameters: [Parameter] { get }
}

/// An adapter between a sublayer and the residual stream. Compositions call its steps one by one, which is how one
/// method works in all of them.
public protocol SublayerAdapter: Sendable {
  /// Forms the adapter's input from `h`: the sublayer's output, or what the adapters before it made of that.
  func prepared(_ h: Tensor, in sublayer: Sublayer, _ context: Context) -> PreparedInput
  /// The adapter's contribution, without any residual: what a fusion attends over.
  func contribution(_ input: Tensor, in context: Context) -> Tensor
  /// The adapter's output: contribution and residual.
  func output(_ input: PreparedInput, in context: Context) -> Tensor
  /// Joins the output with the residual stream, at the end of whatever composition this adapter came last in.
  func joined(_ output: Tensor, in sublayer: Sublayer, _ context: Context) -> Tensor
}

/// What an adapter at the end of a sublayer works on.
public struct PreparedInput {
  /// `[rows, hidden]`
  public let input: Tensor
  /// What is added to the contribution.
  public let residual: Tensor
  /// The input before the base model's layer norm.
  public let raw: Tensor

  public init(input: Tensor, residual: Tensor, raw: Tensor) {
    self.input = input
    self.residual = residual
    self.raw = raw
  }
}

/// An adapter of the embedding output.
public protocol EmbeddingAdapter: Sendable {
  func callAsFunction(_ x: Tensor, in context: Context) -> Tensor
}

/// The methods that Dovetail knows: one file each under `Methods/`, one line here.
public enum AdapterMethods {
  public static let all: [any AdapterMethod.Type] = [
    Bottleneck.self
  ]

  /// The method that a configuration belongs to.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedAdapter``.
  public static func type(for configuration: JSONObject) throws -> any AdapterMethod.Type {
    let architecture = try configuration.optionalString("architecture")
    if let type = all.first(where: { $0.architecture == architecture }) { return type }
    throw Failure(.unsupportedAdapter, "the adapter method \((architecture ?? "").debugDescription) is not supported", at: configuration.path(to: "architecture"))
  }

  /// Loads an adapter, after ``check(_:_:shape:)``.
  public static func load(_ configuration: JSONObject, _ stored: StoredWeights, shape: BaseShape, engine: Engine) throws -> any AdapterMethod {
    try check(configuration, stored, shape: shape)
    let type = try type(for: configuration)
    return try stored.load(engine: engine) { try type.init(configuration: configuration, shape: shape, weights: $0) as any AdapterMethod }
  }

  /// Accounts for every tensor of an adapter.
  ///
  /// - Throws: ``Failure``: a wrong configuration; tensors missing, left over, or of another shape; an adapter that
  ///   would act nowhere.
  public static func check(_ configuration: JSONObject, _ stored: StoredWeights, shape: BaseShape) throws {
    let type = try type(for: configuration)
    let adapter = try stored.check { try type.init(configuration: configuration, shape: shape, weights: $0) as any AdapterMethod }
    guard !adapter.sites.isEmpty || adapter.embeddingAdapter != nil else {
      throw Failure(.idleAdapter, "the adapter would act at no site of this base model", hint: "mh_adapter, output_adapter and leave_out say where it acts")
    }
  }
}
