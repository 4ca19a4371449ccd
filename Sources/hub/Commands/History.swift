import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct History: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "List what was installed and removed, the latest first.",
    discussion: """
      hub history --limit 20

      Each event is recorded in the same transaction as the change itself, and is never deleted.
      """)

  @Option(help: ArgumentHelp("Show at most this many events.", valueName: "n")) var limit: Int?
  @Flag(help: "Print JSON of the schema hub.history/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit must be at least 1") }
  }

  func run() throws {
    let events = try options.open().registry.history(limit: limit ?? .max)
    if json { return try Console.put(json: ["events": .array(events.map(\.json))], schema: "hub.history/1") }
    guard !events.isEmpty else { return Console.say("hub: nothing has happened yet") }
    var table = Table(["WHEN", "WHAT", "ADAPTER", "DIGEST", "FROM"])
    for event in events {
      let time = Console.isTerminal ? day(event.at) : timestamp(event.at)
      table.add([time, event.action.rawValue, "\(event.name)@\(event.version)", event.digest.short, event.origin ?? ""])
    }
    try Console.put(table.text())
  }
}

extension Event {
  fileprivate var json: JSON {
    [
      "at": .string(timestamp(at)), "action": .string(action.rawValue), "name": .string(name.text),
      "version": .string(version.description),
      "digest": .string(digest.description), "origin": origin.map { .string($0) } ?? .null,
    ]
  }
}
