import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo",
    abstract: "Undo the last removal; when called again, the one before it.",
    discussion: """
      hub remove ner
      hub undo

      Works until hub gc has deleted the files.
      """)

  @OptionGroup var options: RegistryOptions

  func run() throws { try Console.put(options.open().registry.undoRemoval().reference) }
}
