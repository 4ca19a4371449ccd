import HubAdapters
import HubTraining
import HubWords

/// One key of a recipe: what may stand there, and what it is for. `hub train --init` writes them down from here.
struct RecipeKey: Sendable {
  /// What may stand at a key.
  enum Kind: Sendable {
    case text
    /// A path, from the folder of the recipe.
    case file
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case flag
    case choice(@Sendable () -> [String])
    case texts
    case mapping
    /// A name, or a mapping with more than that.
    case textOrMapping
  }

  let name: String
  let kind: Kind
  /// What holds where the key is missing, for people; empty if nothing does.
  let usual: String
  /// What it is for.
  let about: String

  init(_ name: String, _ kind: Kind, _ usual: String = "", _ about: String) {
    (self.name, self.kind, self.usual, self.about) = (name, kind, usual, about)
  }

  /// One line each, in the order in which a fresh recipe has them.
  static let all: [RecipeKey] = [
    RecipeKey("task", .choice { Objectives.all.map { $0.task } }, "", "what to learn"),
    RecipeKey("name", .text, "", "the name to install the adapter under"),
    RecipeKey("version", .text, "1.0.0", "its version"),
    RecipeKey("base", .text, "", "a base model of hub model list"),
    RecipeKey("adapter", .textOrMapping, "seq_bn", "a method of hub methods, or method: and its options"),
    RecipeKey("over", .text, "", "a composition to train on top of, which stays as it is: a language adapter"),
    RecipeKey("fuse", .texts, "", "instead of an adapter: installed adapters to learn a fusion over"),
    RecipeKey("language", .text, "", "the language of the texts, a BCP 47 tag"),
    RecipeKey("license", .text, "", "what others may do with the result"),
    RecipeKey("train", .file, "", "the examples"),
    RecipeKey("dev", .file, "", "examples by which the best weights are chosen"),
    RecipeKey("test", .file, "", "examples that are measured once, at the end"),
    RecipeKey(
      "format", .choice { DataFormat.allCases.map(\.rawValue) }, "", "of the files, if their names do not tell"),
    RecipeKey("columns", .mapping, "", "what the files call their columns: {text: review, label: stars}"),
    RecipeKey("dev_share", .number(0...0.5), "0.05", "without dev: the share of train to use for it"),
    RecipeKey("max_length", .integer(8...100_000), "128", "longer texts are cut to this many tokens, or into windows"),
    RecipeKey("epochs", .integer(1...100_000), "3", "how often each example is seen"),
    RecipeKey("steps", .integer(1...100_000_000), "", "the largest number of steps"),
    RecipeKey("batch_size", .integer(1...65_536), "16", "examples in a batch"),
    RecipeKey(
      "batch_tokens", .integer(8...10_000_000), "", "instead of batch_size: tokens in a batch, which is not padded"),
    RecipeKey("accumulate", .integer(1...65_536), "1", "batches in a step"),
    RecipeKey("optimizer", .choice { ["adamw", "sgd", "adafactor"] }, "adamw", "how the weights are updated"),
    RecipeKey("learning_rate", .number(0...10), "1e-4", "the full rate"),
    RecipeKey("weight_decay", .number(0...1), "0.01", "for matrices, not for biases and norms"),
    RecipeKey("momentum", .number(0...0.9999), "0", "for sgd"),
    RecipeKey("schedule", .choice { Recipe.schedules.map(\.name) }, "linear", "how the rate falls after the warm-up"),
    RecipeKey("warmup", .number(0...1), "0.06", "the share of the steps over which the rate grows"),
    RecipeKey("clip", .number(0...1e9), "1.0", "the norm that gradients are scaled down to; 0 for none"),
    RecipeKey("label_smoothing", .number(0...0.9), "0", "the share of the loss that is spread over all labels"),
    RecipeKey("head_dropout", .number(0...0.99), "0.1", "the rate of dropout before a fresh head"),
    RecipeKey("base_dropout", .flag, "true", "whether the base has dropout, as its configuration says"),
    RecipeKey("mask_share", .number(0.01...0.9), "0.15", "for masked_lm: the share of the words to guess"),
    RecipeKey("seed", .integer(0...Int.max), "1", "the seed of all random choices"),
    RecipeKey("evaluate_every", .integer(1...100_000_000), "", "steps between evaluations; by default an epoch"),
    RecipeKey("metric", .text, "", "the figure by which the best weights are chosen"),
    RecipeKey("patience", .integer(1...100_000), "", "ends the run after this many evaluations without a gain"),
    RecipeKey("checkpoint_every", .integer(1...100_000_000), "", "steps between checkpoints, besides evaluations"),
    RecipeKey("train_base", .flag, "false", "for masked_lm: whether to train the base instead of an adapter"),
    RecipeKey("new_base", .mapping, "", "with train_base: config.json of a model to train from scratch"),
    RecipeKey("tokenizer", .file, "", "with new_base: the folder of its tokenizer"),
    RecipeKey("output", .file, "", "with train_base: the folder to write the model to"),
  ]
}

extension Recipe {
  /// The schedules by the names of `transformers`.
  static let schedules: [(name: String, shape: Schedule.Shape)] = [
    ("linear", .linear), ("cosine", .cosine()), ("cosine_with_restarts", .cosineWithRestarts(cycles: 2)),
    ("polynomial", .polynomial()), ("inverse_sqrt", .inverseSquareRoot()), ("constant", .constant),
  ]
}
