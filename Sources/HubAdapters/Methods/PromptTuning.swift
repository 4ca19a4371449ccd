import HubWeights
public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Learned tokens before the text (Lester et al. 2021), in front of its first token or after it.
///
/// As in the Python library they join the embedding output, without positions of their own, unless `combine` is
/// `"words"`: then they are words before the text's as in PEFT, and the text's positions move up. Every layer sees
/// them: a head that reads the first token reads the first of them. Only the first adapter of a setup has a say.
public struct PromptTuning: AdapterMethod {
  public static let architecture: String? = "prompt_tuning"

  private let prompt: Prompt

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown([
      "architecture", "prompt_length", "prompt_init", "prompt_init_text", "combine", "init_weights_seed",
    ])
    let length = try c.optionalInteger("prompt_length") ?? 10
    guard (1...65_536).contains(length) else {
      throw Failure.outside(1...65536, length, .invalidConfiguration, at: c.path(to: "prompt_length"))
    }
    let embeddings = try weights.parameter(
      "prompt.embedding", [length, shape.embeddingSize], initially: .uniform(bound: 0.5))
    let name = try c.optionalString("combine") ?? Prompt.Place.prefix.rawValue
    guard let place = Prompt.Place(rawValue: name) else {
      let known = Prompt.Place.allCases.map(\.rawValue).joined(separator: ", ")
      throw Failure(.invalidConfiguration, "\(name.debugDescription) is not one of \(known)", at: c.path(to: "combine"))
    }
    prompt = Prompt(embeddings: embeddings, place: place)
  }

  public static func impliedSizes(
    _ configuration: JSONObject, _ weights: StoredWeights, hiddenSize: Int
  ) -> ImpliedSizes {
    var sizes = ImpliedSizes(weights)
    sizes.embeddingSize = weights.tensors["prompt.embedding"]?.shape.last
    return sizes
  }

  public var looksAtWholeTexts: Bool { false }
  public var sites: Set<Site> { [] }
  public var promptAdapter: (any PromptAdapter)? { prompt }
  public var parameters: [Parameter] { [prompt.embeddings] }
}

private struct Prompt: PromptAdapter {
  enum Place: String, CaseIterable {
    case prefix
    case afterFirst = "prefix_after_bos"
    case words
  }

  let embeddings: Parameter
  let place: Place

  var addedRows: Int { embeddings.rows }
  var takenPositions: Int { place == .words ? embeddings.rows : 0 }

  func virtualTokens(in context: Context) -> VirtualTokens? {
    place == .words ? VirtualTokens(count: embeddings.rows, embeddings: context.value(of: embeddings)) : nil
  }

  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    place == .words
      ? x : context.inserting(context.value(of: embeddings), into: x, at: place == .prefix ? 0 : 1, of: sequences)
  }
}
