public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Where in a text the answer to a question stands: for each token, how well an answer begins (column 0) and ends
/// there.
public struct QuestionAnsweringHead: Head {
  public static let types = ["question_answering"]

  private let layers: HeadLayers

  public init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    layers = try HeadLayers(configuration, hidden: shape.hiddenSize, from: weights, outputs: 2)
  }

  public var labels: [String] { ["start", "end"] }
  public var answer: HeadAnswer { .span }
  public var parameters: [Parameter] { layers.parameters }
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    layers(input.tokens(in: context), in: context)
  }

  /// The mean of two cross entropies over the tokens of a sequence: that of where answers begin, and that of where they
  /// end. In the Python library padding competes with the tokens; Dovetail never sees it.
  public func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor {
    guard case .spans(let spans, let sequences) = labels else { throw labels.failure(wanted: "spans") }
    try HeadTargets.check(spans.count, sequences.count)
    try HeadTargets.check(sequences.rows, logits.rows)
    var total = context.tensor(rows: 1, columns: 1, [0])
    for (column, places) in [spans.map(\.start), spans.map(\.end)].enumerated() {
      let labelled = Float(places.count { $0 != nil })
      for (index, place) in places.enumerated() where place != nil {
        let tokens = sequences[index]
        try HeadTargets.check(place, below: tokens.count)
        let scores = context.columns(context.rows(logits, tokens), column..<column + 1)
        let surprise = context.crossEntropy(context.reshaped(scores, rows: 1, columns: tokens.count), labels: [place])
        total = context.add(total, context.scaled(surprise, by: 0.5 / labelled))
      }
    }
    return total
  }
}
