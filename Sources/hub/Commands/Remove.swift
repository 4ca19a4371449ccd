import ArgumentParser
import Dovetail
import HubRegistry

struct Remove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove installed adapters.",
    discussion: """
      hub remove sst2
      hub remove sst2@1.0.0

      Their files stay until `hub gc`, which keeps what other adapters share.
      """,
    aliases: ["rm"])

  @Argument(help: ArgumentHelp("References.", valueName: "name"))
  var names: [String]

  @Flag(help: "Only show what would be removed.") var dryRun = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let hub = try options.open()
    // All of them are there before the first is removed.
    let adapters = try names.map { try hub.adapter($0) }
    for (name, adapter) in zip(names, adapters) {
      if !dryRun { try hub.remove(name) }
      try Console.put(adapter.reference)
    }
    Console.say(dryRun ? "hub: nothing was removed: this was a dry run" : "hub: run hub gc to free the space")
  }
}
