import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct UpgradeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract: "Install newer versions of what is installed.",
    discussion: """
      hub upgrade ./adapters

      The old versions stay installed until hub remove.
      """)

  @Argument(help: ArgumentHelp("Files, and folders of them.", valueName: "path"), completion: .file())
  var paths: [String]
  @OptionGroup var consent: ConsentOptions
  @Flag(help: "Only show what would be installed.") var dryRun = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let registry = try options.open().registry
    let upgrades = try registry.upgrades(from: Offers(saying: paths))
    for upgrade in upgrades {
      let (path, name) = (upgrade.offer.path, upgrade.installed.name)
      let result =
        try dryRun
        ? registry.rehearseInstall(from: path, as: name, consent.consent)
        : registry.install(from: path, as: name, consent.consent)
      try Console.put("\(upgrade.installed.reference) -> \(result.adapter.version)")
    }
    if upgrades.isEmpty { Console.say("hub: nothing is outdated") }
    if dryRun { Console.say("hub: nothing was installed: this was a dry run") }
  }
}
