import ArgumentParser
import HubBundle
import HubWords

struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpack",
    abstract: "Unpack a bundle into a folder.",
    discussion: """
      hub unpack my.adapter -o my-adapter

      The folder appears only after everything in it has been checked. Prints the digest of the bundle.
      """)

  @Argument(help: ArgumentHelp("A bundle.", valueName: "file"), completion: .file())
  var file: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to create.", valueName: "dir"), completion: .directory)
  var output: String

  @OptionGroup var options: RegistryOptions

  func run() throws {
    try Console.put(Bundle.unpack(file: file, into: output).digest.description)
  }
}
