import ArgumentParser
import Dovetail
import HubWords

struct Fold: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fold",
    abstract: "Write a base model with an adapter in its weights.",
    discussion: """
      hub fold my-lora --model minilm -o minilm-lora
      hub model add minilm-lora

      For methods that change weights, such as LoRA, DoRA, (IA)³ and OFT, which then cost nothing at run time. \
      The folder is a Hugging Face checkpoint of the base model, \
      with the adapter's head; the registered model and the adapter stay as they are.
      """)

  @Argument(help: "An installed adapter.") var adapter: String
  @Option(help: ArgumentHelp("The base model.", valueName: "name")) var model: String
  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to create.", valueName: "dir"), completion: .directory)
  var output: String
  @OptionGroup var mismatch: MismatchOptions
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let notes = try options.open().fold(
      adapter, into: model, to: output, allowingOtherWeights: mismatch.allowBaseMismatch)
    try Console.put(output)
    for note in notes { Console.say("hub: note: " + Console.escaped(note)) }
  }
}
