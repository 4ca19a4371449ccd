import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index", abstract: "What hub search knows about adapters that others offer.",
    subcommands: [IndexImport.self])
}

struct IndexImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Make the adapters in the index of AdapterHub known.",
    discussion: """
      hub index import adapterhub-dist.tar.gz

      Takes the index as AdapterHub builds it, in a folder or an archive, in place of the one that was known.
      """)

  @Argument(help: "A file or folder.", completion: .file()) var path: String
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let count = try options.open().registry.importCatalogue(from: path)
    Console.say("hub: known adapters: \(count)")
  }
}
