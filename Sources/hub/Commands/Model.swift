import ArgumentParser

struct Model: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Base models.",
    discussion: """
      hub model add ./bert-base-uncased
      hub model list
      """,
    subcommands: [ModelAdd.self, ModelList.self, ModelInfo.self, ModelRemove.self])
}
