import ArgumentParser
import Dovetail
import HubBundle
import HubWords
import HubRegistry

struct ModelAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add a base model to the registry.",
    discussion: """
      hub model add ./bert-base-uncased
      hub model add ./snapshot --as bert-base-uncased --copy

      The folder is a Hugging Face checkpoint (config.json, safetensors, and the tokenizer's files, without which the \
      model cannot answer texts), or holds a single GGUF file. Without --copy, the folder is used \
      where it is.
      """)

  @Argument(help: ArgumentHelp("The folder of the model.", valueName: "dir"), completion: .directory)
  var folder: String

  @Option(name: .customLong("as"), help: "The name of the model; otherwise the folder's.")
  var name: AdapterName?
  @Flag(name: .customLong("copy"), help: "Keep a copy in the registry.") var isCopied = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let model = try options.open().addBaseModel(folder: folder, as: name, copying: isCopied)
    let cells = [
      model.name.text, model.description.architecture, "\(model.description.layers) layers",
      "hidden size \(model.description.hiddenSize)",
      model.description.fingerprint.short,
    ]
    try Console.put(cells.map(Console.escaped).joined(separator: Console.isTerminal ? "  " : "\t"))
    for note in (try? Hub.tokenizerNotes(folder: folder)) ?? [] { Console.say("hub: note: " + Console.escaped(note)) }
    if let problem = Hub.tokenizerProblem(folder: folder) {
      Console.say(
        "hub: note: it answers no text: " + Console.escaped(problem.message)
          + (problem.hint.map { "; " + Console.escaped($0) } ?? ""))
    }
  }
}
