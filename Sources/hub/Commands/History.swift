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

      Each event is recorded in one transaction with the change itself, and stays.
      """)

  @Option(help: ArgumentHelp("How many events.", valueName: "n")) var limit: Int?
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

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Take back the last removal; when called again, the one before it.",
    discussion: """
      hub remove ner
      hub undo

      Works until hub gc has deleted the files.
      """)

  @OptionGroup var options: RegistryOptions

  func run() throws { try Console.put(options.open().registry.undoRemoval().reference) }
}

struct RepairCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Rebuild a lost or damaged index from the files.",
    discussion: """
      hub repair

      Changes nothing if the index is whole; hub verify says whether the files are. A damaged index is kept beside the new \
      one. Exits with 1 if something could not be restored.
      """)

  @OptionGroup var options: RegistryOptions

  func run() throws {
    let repair = try options.open().registry.repair()
    for adapter in repair.restored { try Console.put(adapter.reference) }
    for failure in repair.lost {
      Console.say("hub: lost: \(Console.escaped(failure.subject ?? "")): \(Console.escaped(failure.message))")
    }
    if let path = repair.damagedIndex { Console.say("hub: the damaged index is kept as \(Console.escaped(path))") }
    let isDone = repair.damagedIndex != nil || !repair.restored.isEmpty || !repair.lost.isEmpty
    Console.say(
      isDone
        ? "hub: restored adapters: \(repair.restored.count), lost: \(repair.lost.count)"
        : "hub: the index is whole; nothing was changed")
    if !repair.lost.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
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
