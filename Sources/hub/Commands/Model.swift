import ArgumentParser

struct Model: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model",
    abstract: "Base models.",
    discussion: """
      hub model add ./bert-base-uncased
      hub model list
      """,
    subcommands: [ModelAdd.self, ModelList.self, ModelInfo.self, ModelCompress.self, ModelRemove.self])
}
