import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct Outdated: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "outdated",
    abstract: "List installed adapters that have a newer version in the files given.",
    discussion: """
      hub outdated ./adapters

      Exits with 1 if it lists any.
      """)

  @Argument(help: ArgumentHelp("Files, and folders of them.", valueName: "path"), completion: .file())
  var paths: [String]
  @Flag(help: "Print JSON of the schema hub.outdated/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let upgrades = try options.open().registry.upgrades(from: Offers(saying: paths))
    if json {
      try Console.put(json: ["upgrades": .array(upgrades.map(\.json))], schema: "hub.outdated/1")
    } else if upgrades.isEmpty {
      Console.say("hub: nothing is outdated")
    } else {
      var table = Table(["NAME", "INSTALLED", "OFFERED", "DIGEST", "FILE"])
      for upgrade in upgrades {
        let (old, new) = (upgrade.installed, upgrade.offer)
        table.add([
          old.name.text, old.version.description, new.manifest.version.description, new.digest.short, new.path,
        ])
      }
      try Console.put(table.text())
    }
    if !upgrades.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
  }
}

extension Offers {
  /// What files and folders offer; what was skipped is said.
  init(saying paths: [String]) throws {
    try self.init(in: paths)
    for failure in skipped {
      Console.say(
        "hub: note: skipped \(Console.escaped(failure.subject ?? "a file")): \(Console.escaped(failure.message))")
    }
  }
}

extension Upgrade {
  fileprivate var json: JSON {
    [
      "name": .string(installed.name.text), "installed": .string(installed.version.description),
      "offered": .string(offer.manifest.version.description), "digest": .string(offer.digest.description),
      "file": .string(offer.path),
    ]
  }
}
