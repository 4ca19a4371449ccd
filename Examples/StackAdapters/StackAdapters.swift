import HubWords
import Dovetail

/// Stacks a language adapter and a task adapter on a base model, as MAD-X does, and tags a sentence.
///
///     swift run StackAdapters minilm en pos "The quick brown fox jumps over the lazy dog."
@main
struct StackAdapters {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 4 else {
      print("usage: StackAdapters MODEL LANGUAGE_ADAPTER TASK_ADAPTER TEXT")
      return
    }
    let (model, language, task, text) = (arguments[1], arguments[2], arguments[3], arguments[4])

    let hub = try Hub()
    let base = try hub.baseModel(model)
    let tagger = try hub.compose(.stack(.adapter(language), .adapter(task)), on: base)
    for word in try tagger.tag(text) { print(word.text, word.label ?? "-", separator: "\t") }
  }
}
