import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer

/// One answer for a text, read at the mean of its tokens.
struct MeanHead: Head {
  static let types = ["mean_classification"]

  let labels: [String]
  private let output: Linear

  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    labels = try configuration.strings("labels")
    guard (2...1000).contains(labels.count) else {
      throw Failure(
        .invalidHead, "\(labels.count) labels are not between 2 and 1000", at: configuration.path(to: "labels"))
    }
    output = try Linear(from: weights["output"], shape.hiddenSize, labels.count)
  }

  var answer: HeadAnswer { .label }
  var parameters: [Parameter] { output.parameters }

  func logits(_ input: HeadInput, in cx: Context) throws -> Tensor {
    output(cx.means(of: input.hidden, over: input.sequences), in: cx)
  }
}
