import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct ModelRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Forget base models, and delete their copies.", aliases: ["rm"])

  @Argument(help: ArgumentHelp("Names.", valueName: "name")) var names: [String]
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let registry = try options.open().registry
    for name in names { _ = try registry.baseModel(name) }
    for name in names { try Console.put(registry.removeBaseModel(name).name.text) }
  }
}
