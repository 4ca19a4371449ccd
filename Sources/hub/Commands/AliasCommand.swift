import ArgumentParser
import Dovetail
import HubBundle
import HubWords
import HubRegistry

struct AliasCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alias",
    abstract: "Other names for installed adapters.",
    discussion: """
      hub alias add sentiment/sst-2@ukp sst2
      hub alias list
      """,
    subcommands: [AliasAdd.self, AliasList.self, AliasRemove.self])
}

struct AliasAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Give an installed adapter another name.")

  @Argument(help: "The other name, plain or as task/subtask@publisher.") var alias: String
  @Argument(help: "The name that it is installed under.") var name: AdapterName
  @OptionGroup var options: RegistryOptions

  func run() throws { _ = try options.open().registry.add(alias: AdapterReference(alias), of: name) }
}

struct AliasList: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List other names.", aliases: ["ls"])

  @Flag(help: "Print JSON of the schema hub.aliases/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let aliases = try options.open().registry.aliases()
    if json {
      let list = aliases.map { ["alias": .string($0.alias), "name": .string($0.name.text)] as JSON }
      return try Console.put(json: ["aliases": .array(list)], schema: "hub.aliases/1")
    }
    guard !aliases.isEmpty else { return Console.say("hub: no aliases") }
    var table = Table(["ALIAS", "NAME"])
    for alias in aliases { table.add([alias.alias, alias.name.text]) }
    try Console.put(table.text())
  }
}

struct AliasRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove other names.", aliases: ["rm"])

  @Argument(help: "Other names.") var aliases: [String]
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let registry = try options.open().registry
    for alias in aliases { try registry.remove(alias: alias) }
  }
}
