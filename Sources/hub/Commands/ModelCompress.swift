import ArgumentParser
import Dovetail
import HubTensor

struct ModelCompress: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Write a base model in less space.",
    discussion: """
      hub model compress minilm --precision int8 -o minilm-int8
      hub model add minilm-int8

      bfloat16 takes half the space. int8 takes a quarter: the matrices are in eight bits with a scale for each row, in \
      compressed-tensors' format int-quantized. The result is another model, on which adapters of the first run only with \
      --allow-base-mismatch.
      """)

  @Argument(help: "A base model.") var name: String
  @Option(help: ArgumentHelp("bfloat16 or int8.", valueName: "precision")) var precision: Precision
  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to create.", valueName: "dir"), completion: .directory)
  var output: String
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    guard precision != .float32 else { throw ValidationError("float32 saves no space: choose bfloat16 or int8") }
  }

  func run() throws {
    try options.open().compress(name, to: precision, folder: output)
    try Console.put(output)
  }
}
