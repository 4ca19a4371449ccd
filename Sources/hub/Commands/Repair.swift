import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct RepairCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair",
    abstract: "Rebuild a lost or damaged index from the files.",
    discussion: """
      hub repair

      Changes nothing if the index is intact; hub verify says whether the files are. A damaged index is kept beside \
      the new one. Exits with 1 if something could not be restored.
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
        : "hub: the index is intact; nothing was changed")
    if !repair.lost.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
  }
}
