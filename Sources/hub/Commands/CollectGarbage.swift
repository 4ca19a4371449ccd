import ArgumentParser
import Dovetail
import HubRegistry

struct CollectGarbage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Delete files that nothing uses.",
    discussion: """
      hub gc --dry-run
      hub gc
      """)

  @Flag(help: "Only show what would be deleted.") var dryRun = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let collection = try options.open().registry.collect(dryRun: dryRun)
    for path in collection.paths { try Console.put(Console.escaped(path)) }
    Console.say("hub: \(dryRun ? "would free" : "freed") \(bytes(collection.bytes))")
  }
}
