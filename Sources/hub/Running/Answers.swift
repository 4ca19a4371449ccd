import Dovetail
import HubWords

/// How `hub run` shows its answers.
protocol AnswerFormat {
  /// The text for one answer, without the last line break.
  func text(_ question: Question, _ answer: Result<Prediction, Failure>) -> String
}
