import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct ModelInfo: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "info", abstract: "Describe a base model.")

  @Argument(help: "The name of the model.") var name: String
  @Flag(help: "Print JSON of the schema hub.model/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let model = try options.open().registry.baseModel(name)
    if json { return try Console.put(json: model.json, schema: "hub.model/1") }
    var sheet = Sheet()
    sheet.add("name", model.name.text)
    sheet.add("architecture", model.description.architecture)
    sheet.add("layers", String(model.description.layers))
    sheet.add("hidden size", String(model.description.hiddenSize))
    sheet.add("fingerprint", model.description.fingerprint.description)
    sheet.add("folder", model.folder + (model.isCopied ? " (a copy)" : ""))
    sheet.add("size", bytes(model.size))
    sheet.add("files", model.files.map(\.path).joined(separator: ", "))
    sheet.add("changed", model.changedFiles.joined(separator: ", "))
    sheet.add("added", day(model.addedAt))
    try Console.put(sheet.text)
  }
}
