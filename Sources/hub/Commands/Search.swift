import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct Search: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search by words for adapters, installed or listed in AdapterHub's index.",
    discussion: """
      hub search sentiment roberta-base
      hub search sw wiki

      All words must occur in what is known about an adapter: name, task, languages, base model, method, \
      description. The beginning of a word is enough. Works without a network; hub index import makes the index \
      known.
      """)

  @Argument(help: "Words.") var words: [String]
  @Option(help: ArgumentHelp("Show at most this many adapters.", valueName: "n")) var limit = 50
  @Flag(help: "Print JSON of the schema hub.search/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit must be at least 1") }
  }

  func run() throws {
    let result = try options.open().registry.search(words, limit: limit)
    if json {
      let (installed, offered) = (result.installed.map { JSON.object($0.json) }, result.offered.map(\.json))
      return try Console.put(
        json: ["installed": .array(installed), "offered": .array(offered), "isCut": .bool(result.isCut)],
        schema: "hub.search/1")
    }
    var table = Table(["ADAPTER", "BASE", "METHOD", "WHERE"])
    for adapter in result.installed {
      let base = adapter.manifest.base
      table.add([
        adapter.reference, Console.isTerminal ? base.shortTitle : base.title, adapter.manifest.method, "installed",
      ])
    }
    for entry in result.offered { table.add([entry.reference, entry.base, entry.method, entry.url ?? entry.id]) }
    if result.installed.isEmpty, result.offered.isEmpty { return Console.say("hub: no adapter matches these words") }
    try Console.put(table.text())
    if result.isCut { Console.say("hub: there are more: raise --limit, or add a word") }
  }
}

extension CatalogueEntry {
  fileprivate var json: JSON {
    [
      "id": .string(id), "reference": .string(reference), "publisher": .string(publisher), "task": .string(task),
      "subtask": .string(subtask),
      "base": .string(base), "method": .string(method), "url": url.map { .string($0) } ?? .null,
      "sha256": sha256.map { .string($0.hex) } ?? .null,
    ]
  }
}
