import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct ModelList: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List base models.", aliases: ["ls"])

  @Flag(help: "Print JSON of the schema hub.models/1.") var json = false
  @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let models = try options.open().registry.baseModels()
    if json {
      return try Console.put(json: ["models": .array(models.map { .object($0.json) })], schema: "hub.models/1")
    }
    guard !models.isEmpty else { return quiet ? () : Console.say("hub: no base models") }
    if quiet { return try Console.put(models.map(\.name.text).joined(separator: "\n")) }
    var table = Table(["NAME", "ARCHITECTURE", "LAYERS", "HIDDEN", "SIZE", "FINGERPRINT", "STATE", "FOLDER"])
    for model in models {
      table.add([
        model.name.text, model.description.architecture, String(model.description.layers),
        String(model.description.hiddenSize),
        Console.isTerminal ? bytes(model.size) : String(model.size), model.description.fingerprint.short,
        model.hasChanged ? "changed" : model.isCopied ? "copied" : "in place", model.folder,
      ])
    }
    try Console.put(table.text())
  }
}
