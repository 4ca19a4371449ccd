import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index", abstract: "What hub search knows about adapters published elsewhere.",
    subcommands: [IndexImport.self])
}

struct IndexImport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Add the adapters listed in AdapterHub's index.",
    discussion: """
      hub index import adapterhub-dist.tar.gz

      Reads the index that AdapterHub builds, in a folder or an archive. It replaces the one that was added before.
      """)

  @Argument(help: "A file or folder.", completion: .file()) var path: String
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let count = try options.open().registry.importCatalogue(from: path)
    Console.say("hub: known adapters: \(count)")
  }
}
