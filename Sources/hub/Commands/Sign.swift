import ArgumentParser
import HubBundle
import HubWords

struct Sign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign",
    abstract: "Sign bundles.",
    discussion: """
      hub sign my.adapter --key release.key

      Checks the whole bundle and adds a signature to it, in place; other signatures stay. Prints the digest that \
      was signed.
      """)

  @Argument(help: ArgumentHelp("Bundles, packed or in folders.", valueName: "file"), completion: .file())
  var paths: [String]

  @Option(help: ArgumentHelp("A secret key made by hub keys generate.", valueName: "file"), completion: .file())
  var key: String

  @OptionGroup var options: RegistryOptions

  func run() throws {
    let key = try SigningKey(file: key)
    for path in paths { try Console.put(Bundle.sign(path, with: key).description) }
  }
}
