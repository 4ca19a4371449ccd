import Dovetail
import Foundation
import HubAdapters
import HubModels
import HubTensor
import HubTransformer
import HubWords

/// How much somebody likes something, from 0 to 1, read at the mean of the tokens.
struct MeanHead: Head {
  static let types = ["mean_rating"]

  private let output: Linear

  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    output = try Linear(from: weights["output"], shape.hiddenSize, 2)
  }

  let labels = ["bad", "good"]
  var answer: HeadAnswer { .rating }
  var parameters: [Parameter] { output.parameters }

  func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    output(context.means(of: input.hidden, over: input.sequences), in: context)
  }
}

extension HeadAnswer {
  static let rating = HeadAnswer("rating", .sequence)
}

/// A kind of answer that Dovetail does not have: stars.
struct Rating: Answer {
  static let kind = HeadAnswer.rating

  /// From 1 to 5.
  let stars: Int

  init(_ question: AnsweredQuestion) {
    let logits = question.rows[0]
    stars = 1 + min(4, Int(5 / (1 + exp(logits[0] - logits[1]))))
  }

  var json: JSON.Members { ["stars": .integer(stars)] }

  func text(for input: TextInput, in style: AnswerStyle) -> String {
    String(repeating: "★", count: stars) + "  " + style.shown(input)
  }
}
