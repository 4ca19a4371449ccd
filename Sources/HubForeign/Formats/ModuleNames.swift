import HubWeights

/// What a base model calls its modules, beside what BERT calls them: tables of names are written in BERT's words, and
/// translated for the others.
struct ModuleNames: Sendable {
  /// Values of `model_type`.
  let models: [String]
  /// What stands before everything in a model with a head.
  let prefix: String
  private let renames: [(own: String, bert: String)]

  /// In BERT's words, without ``prefix``.
  func bert(_ name: String) -> String {
    renames.reduce(name.after(prefix) ?? name) { $0.replacing($1.own, with: $1.bert) }
  }

  /// In the model's own words, with ``prefix``.
  func own(_ bert: String) -> String {
    // Longer paths stand first in the list, so that `output.` is what is left of them.
    prefix + renames.reduce(bert) { $0.replacing($1.bert, with: $1.own) }
  }

  static func of(model: String) -> ModuleNames? { all.first { $0.models.contains(model) } }

  /// Those of the model whose prefix a tensor's name has, or whose layers it names.
  static func of(tensor name: String) -> ModuleNames? {
    all.first { name.hasPrefix($0.prefix) } ?? (name.hasPrefix("transformer.layer.") ? distilBERT : nil)
  }

  /// What Hugging Face's classes for a model begin with.
  func className(_ model: String) -> String { CheckpointHeadForm.classNames[model] ?? model }

  static let bert = ModuleNames(models: ["bert"], prefix: "bert.", renames: [])

  private static let distilBERT = ModuleNames(
    models: ["distilbert"], prefix: "distilbert.",
    renames: [
      ("transformer.layer.", "encoder.layer."), (".attention.q_lin.", ".attention.self.query."),
      (".attention.k_lin.", ".attention.self.key."),
      (".attention.v_lin.", ".attention.self.value."), (".attention.out_lin.", ".attention.output.dense."),
      (".attention.prefix_tuning.", ".attention.self.prefix_tuning."),
      (".prefix_tunings.@.self.", ".prefix_tunings.@.self_prefix."),
      (".ffn.lin1.", ".intermediate.dense."), (".ffn.lin2.", ".output.dense."),
      (".attention_adapters.", ".attention.output."),
      (".output_adapters.", ".output."),
    ])

  static let all = [
    bert, ModuleNames(models: ["roberta", "xlm-roberta", "xmod"], prefix: "roberta.", renames: []),
    ModuleNames(models: ["electra"], prefix: "electra.", renames: []), distilBERT,
  ]
}
