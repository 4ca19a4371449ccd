import ArgumentParser
import Dovetail
import HubManifest
import HubRegistry

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List installed adapters.",
    discussion: """
      hub list
      hub list --base bert --kind task
      hub remove $(hub list -q --method lora)
      """,
    aliases: ["ls"])

  @Argument(help: ArgumentHelp("What the names begin with.", valueName: "prefix"))
  var prefix: String?

  @Option(help: "Only this kind: language, task, fusion, adapter, ...") var kind: String?
  @Option(help: "Only this method: seq_bn, lora, ...") var method: String?
  @Option(help: "Only for this base model: its name, architecture or fingerprint.") var base: String?
  @Option(help: "Only for this language, as a tag such as sw or zh-Hant.") var language: String?
  @Option(help: "Only for this task.") var task: String?

  @Flag(help: "Print JSON of the schema hub.list/1.") var json = false
  @Flag(name: .shortAndLong, help: "Print references only.") var quiet = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let filter = AdapterFilter(
      kind: kind.map { AdapterKind(rawValue: $0) }, method: method, base: base, language: language, task: task, namePrefix: prefix)
    let adapters = try options.open().list(filter)
    if json { return try Console.put(json: ["adapters": .array(adapters.map { .object($0.json) })], schema: "hub.list/1") }
    guard !adapters.isEmpty else { return quiet ? () : Console.say("hub: no adapters") }
    if quiet { return try Console.put(adapters.map(\.reference).joined(separator: "\n")) }
    var table = Table(["NAME", "VERSION", "KIND", "METHOD", "BASE", "SIZE", "DIGEST", "INSTALLED"])
    for adapter in adapters {
      let manifest = adapter.manifest
      let common = [adapter.name.text, adapter.version.description, manifest.kind.rawValue, manifest.method]
      table.add(
        common
          + (Console.isTerminal
            ? [manifest.base.shortTitle, bytes(adapter.size), adapter.digest.short, day(adapter.installedAt, withTime: false)]
            : [manifest.base.title, String(adapter.size), adapter.digest.short, timestamp(adapter.installedAt)]))
    }
    try Console.put(table.text())
  }
}
