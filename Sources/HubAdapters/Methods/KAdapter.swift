public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// K-Adapter (Wang et al. 2021): beside the model a small one that reads some of its hidden states. Block `b` has
/// transformer layers of its own between two projections, `out_b = up(layers(down(in_b))) + in_b`, and reads
/// `in_b = hidden_states[adapter_list[b]] + out_(b−1)`; 0 is what the embeddings give. What the model gives in the end
/// is `dense([h; out])`.
///
/// With several kinds of `knowledge` each has blocks and a `dense` of its own, and a last layer joins what these give.
/// In the inner layers each text sees itself; the authors let it see padding, too.
public struct KAdapter: AdapterMethod {
  public static let architecture: String? = "k_adapter"

  private let knowledge: [Knowledge]
  private let dense: Linear?
  /// The hidden states that the blocks read.
  private let read: [Int]
  private let last: Int

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let configuration = try KAdapterConfiguration(c, shape)
    read = configuration.read
    last = shape.layers - 1
    knowledge = try (0..<configuration.knowledge).map {
      try Knowledge(configuration, shape, from: weights["knowledge"][$0])
    }
    dense =
      knowledge.count > 1
      ? try Linear(
        from: weights["dense"], knowledge.count * shape.hiddenSize, shape.hiddenSize, initially: .identity(rest: 0))
      : nil
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    var sizes = ImpliedSizes(weights)
    sizes.layers = (configuration.members["adapter_list"]?.integers ?? []).max() ?? 0
    return sizes
  }

  /// The hidden states are the inputs of the layers and the output of the last.
  public var sites: Set<Site> { Set(read.map { Site(min($0, last), .layer) } + [Site(last, .layer)]) }

  public func layerAdapter(at index: Int) -> (any LayerAdapter)? {
    guard index == last || read.contains(index) else { return nil }
    return KAdapterLayer(
      index: index, keepsInput: read.contains(index),
      end: index == last ? KAdapterEnd(knowledge: knowledge, dense: dense, read: read, last: last) : nil)
  }

  public var parameters: [Parameter] { knowledge.flatMap(\.parameters) + (dense?.parameters ?? []) }
}

struct KAdapterConfiguration: Sendable {
  let read: [Int]
  let size, layers, heads, intermediateSize, skip, knowledge: Int
  let activation: Activation

  init(_ c: JSONObject, _ shape: ModelShape) throws {
    try c.refuseUnknown([
      "architecture", "adapter_list", "adapter_size", "adapter_transformer_layers", "adapter_skip_layers",
      "num_attention_heads", "intermediate_size",
      "non_linearity", "knowledge",
    ])
    func count(_ key: String, _ range: ClosedRange<Int>, _ absent: Int) throws -> Int {
      let value = try c.optionalInteger(key) ?? absent
      guard range.contains(value) else {
        throw Failure.outside(range, value, .invalidConfiguration, at: c.path(to: key))
      }
      return value
    }
    read = try c.required("adapter_list", "an array of numbers of hidden states") { $0.integers }
    let isAscending = zip(read, read.dropFirst()).allSatisfy { $0 < $1 }
    guard shape.layers > 0, (1...32).contains(read.count), isAscending,
      read.allSatisfy({ (0...shape.layers).contains($0) })
    else {
      throw Failure(
        .invalidConfiguration, "expected an ascending list of at most 32 hidden states between 0 and \(shape.layers)",
        at: c.path(to: "adapter_list"))
    }
    size = try c.optionalSize("adapter_size") ?? 768
    layers = try count("adapter_transformer_layers", 1...16, 2)
    heads = try c.optionalSize("num_attention_heads") ?? 12
    intermediateSize = try c.optionalSize("intermediate_size") ?? min(4 * size, 65_536)
    skip = try count("adapter_skip_layers", 0...256, 0)
    knowledge = try count("knowledge", 1...8, 1)
    activation = try c.optionalActivation("non_linearity") ?? .gelu
    guard size % heads == 0 else {
      throw Failure(
        .invalidConfiguration, "a size of \(size) cannot be divided among \(heads) heads",
        at: c.path(to: "num_attention_heads"))
    }
    guard skip != 1 else {
      throw Failure(
        .invalidConfiguration, "with 1, the first block would need the second one's output",
        at: c.path(to: "adapter_skip_layers"))
    }
  }
}

/// The blocks of one kind of knowledge.
private struct Knowledge: Sendable {
  private let blocks: [KnowledgeBlock]
  private let dense: Linear
  private let skip: Int

  init(_ c: KAdapterConfiguration, _ shape: ModelShape, from weights: ParameterSource) throws {
    blocks = try c.read.indices.map { try KnowledgeBlock(c, shape, from: weights["blocks"][$0]) }
    dense = try Linear(from: weights["dense"], 2 * shape.hiddenSize, shape.hiddenSize, initially: .identity(rest: 0))
    skip = c.skip
  }

  /// After every `skip` blocks the output of block `count / skip` is added once more. A block without a state, of a
  /// layer that runs without adapters, is left out.
  func callAsFunction(_ states: [Tensor?], _ hidden: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    var outputs: [Tensor] = [], last: Tensor?
    for (block, state) in zip(blocks, states) {
      guard let state else { continue }
      let output = block(last.map { context.add(state, $0) } ?? state, sequences, in: context)
      outputs.append(output)
      last = skip > 0 && outputs.count % skip == 0 ? context.add(output, outputs[outputs.count / skip]) : output
    }
    return dense(context.joined(hidden, last ?? hidden), in: context)
  }

  var parameters: [Parameter] { blocks.flatMap(\.parameters) + dense.parameters }
}

private struct KnowledgeBlock: Sendable {
  private let down, up: Linear
  private let layers: [TransformerLayer]

  init(_ c: KAdapterConfiguration, _ shape: ModelShape, from weights: ParameterSource) throws {
    down = try Linear(from: weights["down"], shape.hiddenSize, c.size, initially: .normal(deviation: 2e-4))
    let form = TransformerLayer.Form(
      hiddenSize: c.size, intermediateSize: c.intermediateSize, attention: AttentionForm(heads: c.heads),
      activation: c.activation, epsilon: 1e-5)
    layers = try (0..<c.layers).map { try TransformerLayer(from: weights["layers"][$0], index: $0, form) }
    up = try Linear(from: weights["up"], c.size, shape.hiddenSize, initially: .normal(deviation: 2e-4))
  }

  func callAsFunction(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    let narrow = Rows(down(x, in: context), of: sequences)
    return up(layers.reduce(narrow) { $1($0, with: NoInterventions(), in: context) }.tensor, plus: x, in: context)
  }

  var parameters: [Parameter] { down.parameters + layers.flatMap(\.parameters) + up.parameters }
}

/// Keeps a hidden state that a block reads, and after the last layer runs the blocks.
private struct KAdapterLayer: LayerAdapter {
  let index: Int
  let keepsInput: Bool
  let end: KAdapterEnd?

  func callAsFunction(
    _ output: Tensor, of input: Tensor, _ sequences: Sequences, keeping kept: inout [Int: Tensor], in context: Context
  ) -> Tensor {
    if keepsInput { kept[index] = input }
    return end?(kept, output, sequences, in: context) ?? output
  }
}

private struct KAdapterEnd: Sendable {
  let knowledge: [Knowledge]
  let dense: Linear?
  let read: [Int]
  let last: Int

  /// - Parameter kept: of fewer copies than `output` where rows were multiplied in between
  func callAsFunction(_ kept: [Int: Tensor], _ output: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    let states = read.map { index in
      index > last
        ? output : kept[index].map { $0.rows == output.rows ? $0 : context.repeated($0, output.rows / max(1, $0.rows)) }
    }
    let results = knowledge.map { $0(states, output, sequences, in: context) }
    guard let dense else { return results[0] }
    return dense(results.dropFirst().reduce(results[0]) { context.joined($0, $1) }, in: context)
  }
}
