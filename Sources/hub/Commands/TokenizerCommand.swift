import ArgumentParser

struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer",
    abstract: "Tokenizers of base models.",
    discussion: """
      hub tokenizer train de.txt sw.txt -o my-tokenizer --vocabulary 12000
      """,
    subcommands: [TokenizerTrain.self])
}
