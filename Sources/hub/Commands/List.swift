import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List installed adapters.",
    discussion: """
      hub list
      hub list --base bert --kind task
      hub remove $(hub list -q --method lora)
      """,
    aliases: ["ls"])

  @Argument(help: ArgumentHelp("Only names that begin with this.", valueName: "prefix"))
  var prefix: String?

  @OptionGroup var wanted: FilterOptions
  @Option(help: ArgumentHelp("Show at most this many, sorted by name.", valueName: "n")) var limit: Int?
  @Flag(help: "Print JSON of the schema hub.list/1.") var json = false
  @Flag(name: .shortAndLong, help: "Print references only.") var quiet = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
  }

  func run() throws {
    var filter = wanted.filter
    filter.namePrefix = prefix
    let adapters = try options.open().registry.list(filter, limit: limit ?? .max)
    if json {
      return try Console.put(json: ["adapters": .array(adapters.map { .object($0.json) })], schema: "hub.list/1")
    }
    guard !adapters.isEmpty else { return quiet ? () : Console.say("hub: no adapters") }
    if quiet { return try Console.put(adapters.map(\.reference).joined(separator: "\n")) }
    try Console.put(Table(adapters).text())
  }
}
