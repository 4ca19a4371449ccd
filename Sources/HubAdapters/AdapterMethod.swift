public import HubWords
public import HubTensor
public import HubModels
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
  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws

  /// What the file of such an adapter says about its base model: the layers that it has weights for or leaves out,
  /// unless the method says more.
  ///
  /// - Parameters:
  ///   - weights: by the names of the bundle format
  ///   - hiddenSize: that of the base model
  static func impliedSizes(_ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int) -> ImpliedSizes

  /// The sites where it acts, besides the embeddings.
  var sites: Set<Site> { get }

  /// What it does at the end of a sublayer; `nil` where it does nothing.
  func sublayerAdapter(at site: Site) -> (any SublayerAdapter)?

  /// What it does to the output of a linear layer; `nil` where it does nothing.
  func projectionAdapter(at site: Site) -> (any ProjectionAdapter)?

  /// What it puts before the keys and values of an attention; `nil` where nothing.
  func prefixAdapter(at site: Site) -> (any PrefixAdapter)?

  /// What it does after a whole layer; `nil` where it does nothing.
  func layerAdapter(at index: Int) -> (any LayerAdapter)?

  /// What it does to the embedding output; `nil` if nothing.
  var embeddingAdapter: (any EmbeddingAdapter)? { get }

  /// What it puts before the text; `nil` if nothing.
  var promptAdapter: (any PromptAdapter)? { get }

  /// All weights, in the order of the file.
  var parameters: [Parameter] { get }

  /// Those of ``parameters`` that training leaves as they are.
  var frozenParameters: [Parameter] { get }

  /// Whether what it does to a token depends on tokens that follow, such as a mean over all of them. Then a text that
  /// goes on is not what it was plus something new, and is read again. True unless a method says otherwise: that is
  /// slower, never wrong.
  var looksAtWholeTexts: Bool { get }
}

extension AdapterMethod {
  public var looksAtWholeTexts: Bool { true }

  /// Whether it has gates, each of which is a mean over all tokens.
  var hasGates: Bool { parameters.contains { $0.name.split(separator: ".").contains("gate") } }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    ImpliedSizes(weights, named: configuration.leftOutLayers)
  }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { nil }
  public func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? { nil }
  public func prefixAdapter(at site: Site) -> (any PrefixAdapter)? { nil }
  public func layerAdapter(at index: Int) -> (any LayerAdapter)? { nil }
  public var embeddingAdapter: (any EmbeddingAdapter)? { nil }
  public var promptAdapter: (any PromptAdapter)? { nil }
  public var frozenParameters: [Parameter] { [] }
}

extension JSONObject {
  /// The layers that `leave_out` names, whether the base has them or not.
  var leftOutLayers: [Int] { members["leave_out"]?.integers ?? [] }
}

/// An adapter between a sublayer and the residual stream. Compositions call its steps one by one, which is how one
/// method works in all of them.
public protocol SublayerAdapter: Sendable {
  /// Forms the adapter's input from `h`: the sublayer's output, or what the adapters before it made of that.
  func prepared(_ h: Tensor, in sublayer: Sublayer, _ context: Context) -> PreparedInput
  /// The adapter's contribution, without any residual: what a fusion attends over.
  ///
  /// - Parameter sequences: those of the rows
  func contribution(_ input: Tensor, _ sequences: Sequences, in context: Context) -> Tensor
  /// The adapter's output: contribution and residual.
  func output(_ input: PreparedInput, _ gating: Gating, in context: Context) -> Tensor
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

/// An adapter of a linear layer. In a stack each reads the contribution of the one before; the last joins the output.
public protocol ProjectionAdapter: Sendable {
  /// Whether it can stand after another one: not if it reads the layer's input width and the output has another.
  var canFollow: Bool { get }
  /// What the adapter makes of `h`: the contribution of the adapter before it; `nil` for the first, which reads the
  /// layer's input.
  func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor
  /// The layer's output, without activation, together with the contribution.
  func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor
  /// Both steps at once, for an adapter that acts alone on a layer without activation.
  func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor
}

extension ProjectionAdapter {
  public func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
    joined(
      contribution(nil, to: projection, gating, in: context), with: projection.applied(in: context), of: projection,
      in: context)
  }
}

/// Multiplies the rows of each sequence by a learned share: the mean of `σ(gate(x))` over its tokens.
///
/// The Python library averages over padding as well, so that an answer depends on the other texts of the batch;
/// Dovetail never sees padding.
public struct Gating {
  /// The sequences that the rows belong to.
  public let sequences: Sequences
  private let observe: ((Tensor) -> Void)?

  /// - Parameter observe: is given the shares, `[sequences, 1]`
  public init(_ sequences: Sequences, observe: ((Tensor) -> Void)? = nil) {
    self.sequences = sequences
    self.observe = observe
  }

  /// - Parameters:
  ///   - x: `[rows, columns]`, the rows of the sequences
  ///   - scores: `[rows, 1]`, the output of the gate before the sigmoid
  public func callAsFunction(_ x: Tensor, by scores: Tensor, in context: Context) -> Tensor {
    context.multiply(x, sequencesBy: shares(scores, in: context), sequences)
  }

  /// The shares themselves, one column for each of the gate's outputs.
  public func shares(_ scores: Tensor, in context: Context) -> Tensor {
    let shares = context.means(of: context.activate(scores, .sigmoid), over: sequences)
    observe?(shares)
    return shares
  }
}

/// An adapter of the keys and values of an attention.
public protocol PrefixAdapter: Sendable {
  /// The prefix of each of the sequences.
  ///
  /// - Parameter x: the input of the attention, which a gate looks at
  func callAsFunction(_ x: Tensor, _ gating: Gating, in context: Context) -> AttentionPrefixes
}

/// An adapter of the output of a whole layer.
public protocol LayerAdapter: Sendable {
  /// Whether it has its place in a composition. One that has none acts only in the first adapter of a setup, and then
  /// on all rows.
  var composes: Bool { get }
  /// - Parameters:
  ///   - input: what went into the layer
  ///   - kept: what the adapter's lower layers left for it in this pass, under numbers of its choice
  func callAsFunction(
    _ output: Tensor, of input: Tensor, _ sequences: Sequences, keeping kept: inout [Int: Tensor], in context: Context
  ) -> Tensor
}

extension LayerAdapter {
  public var composes: Bool { true }
}

/// An adapter of the embedding output.
public protocol EmbeddingAdapter: Sendable {
  /// What becomes of the embedding output `x`, `[rows, embedding]`.
  func callAsFunction(_ x: Tensor, in context: Context) -> Tensor
}

/// An adapter that puts learned tokens before the text.
public protocol PromptAdapter: Sendable {
  /// How many rows each sequence gains.
  var addedRows: Int { get }
  /// How many positions of the base model it takes from the text.
  var takenPositions: Int { get }
  /// Tokens that are there before the base model adds positions, or that only take up positions.
  func virtualTokens(in context: Context) -> VirtualTokens?
  /// The embedding output with the prompt in it, where ``virtualTokens(in:)`` has not brought it already.
  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor
}

/// An adapter of the embedding output that can be undone.
public protocol InvertibleAdapter: EmbeddingAdapter {
  /// Undoes the adapter: `x` from its output `y`, both `[rows, embedding]`.
  func inverse(_ y: Tensor, in context: Context) -> Tensor
}

/// The methods that Dovetail knows: one file each under `Methods/`, one line here; and those that a program registers.
public enum AdapterMethods {
  private static let table = TypeTable<any AdapterMethod.Type>([
    AdaMix.self,
    Bottleneck.self,
    KAdapter.self,
    LHUC.self,
    LoRA.self,
    MTLLoRA.self,
    PAL.self,
    PrefixTuning.self,
    PromptTuning.self,
    ReFT.self,
    UDapter.self,
    Union.self,
  ]) { [$0.architecture ?? ""] }

  /// The methods that Dovetail knows, then those that the program registered.
  public static var all: [any AdapterMethod.Type] { table.all }

  /// Makes a method known under its ``AdapterMethod/architecture`` wherever adapters are checked, installed, loaded and
  /// composed in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public static func register(_ type: any AdapterMethod.Type) throws { try table.register(type) }

  /// The method that a configuration belongs to.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedAdapter``.
  public static func type(for configuration: JSONObject) throws -> any AdapterMethod.Type {
    let architecture = try configuration.optionalString("architecture")
    if architecture != "", let type = table[architecture ?? ""] { return type }
    throw Failure(
      .unsupportedAdapter, "the adapter method \((architecture ?? "").debugDescription) is not supported",
      at: configuration.path(to: "architecture"))
  }

  /// Loads an adapter, after what ``check(_:_:shape:)`` checks.
  public static func load(
    _ configuration: JSONObject, _ stored: StoredWeights, shape: ModelShape, engine: Engine
  ) throws -> any AdapterMethod {
    let type = try type(for: configuration)
    let adapter = try stored.load(engine: engine) {
      try type.init(configuration: configuration, shape: shape, weights: $0) as any AdapterMethod
    }
    try checkActs(adapter)
    return adapter
  }

  /// Accounts for every tensor of an adapter.
  ///
  /// - Throws: ``Failure``: a wrong configuration; tensors missing, left over, or of another shape; an adapter that
  ///   would act nowhere.
  public static func check(_ configuration: JSONObject, _ stored: StoredWeights, shape: ModelShape) throws {
    _ = try outline(configuration, stored, shape: shape)
  }

  /// An adapter that says what it is and where it acts, and has no values to act with.
  ///
  /// - Throws: ``Failure``, as ``check(_:_:shape:)``.
  public static func outline(
    _ configuration: JSONObject, _ stored: StoredWeights, shape: ModelShape
  ) throws -> any AdapterMethod {
    let type = try type(for: configuration)
    let adapter = try stored.check {
      try type.init(configuration: configuration, shape: shape, weights: $0) as any AdapterMethod
    }
    try checkActs(adapter)
    return adapter
  }

  private static func checkActs(_ adapter: any AdapterMethod) throws {
    guard !adapter.sites.isEmpty || adapter.embeddingAdapter != nil || adapter.promptAdapter != nil else {
      throw Failure(
        .idleAdapter, "the adapter would act at no site of this base model",
        hint: "mh_adapter, output_adapter and leave_out say where it acts")
    }
  }
}
