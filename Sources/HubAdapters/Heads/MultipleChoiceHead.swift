public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Which of several texts answers a question: each is read together with the question, and gets one logit.
public struct MultipleChoiceHead: Head {
  public static let types = ["multiple_choice"]

  private let layers: PooledLayers
  private let choices: Int

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    choices = try configuration.integer("num_choices")
    guard (1...10_000).contains(choices) else {
      throw Failure.outside(1...10000, choices, .invalidHead, at: configuration.path(to: "num_choices"))
    }
    layers = try PooledLayers(configuration, hidden: shape.hiddenSize, from: weights, outputs: 1)
  }

  public var labels: [String] { (0..<choices).map { "\($0)" } }
  public var answer: HeadAnswer { .choice }
  public var parameters: [Parameter] { layers.parameters }

  /// `[questions, choices]`: the choices of a question are sequences that follow each other.
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    guard input.sequences.count % choices == 0 else {
      throw Failure(
        .unsupportedHead, "\(input.sequences.count) texts do not make questions with \(choices) choices each",
        at: "num_choices")
    }
    return context.reshaped(try layers(input, in: context), rows: input.sequences.count / choices, columns: choices)
  }
}
