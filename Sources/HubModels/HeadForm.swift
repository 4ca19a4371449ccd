public import HubWords

/// The head of one of Hugging Face's model classes, as a head of the bundle format: its configuration, and what its
/// tensors are called.
public struct HeadForm: Sendable {
  /// What follows the family in the names of its classes: `ForTokenClassification`.
  let tasks: [String]
  /// The first of these.
  public var task: String { tasks[0] }
  /// AdapterHub's keys of the same head.
  public let configuration: JSON.Members
  /// What replaces what at the beginning of a name; `nil` for what no head reads.
  private let names: [(old: String, new: String?)]

  /// Whether a head with this configuration has the form.
  func matches(_ configuration: JSON.Members) -> Bool {
    self.configuration.entries.allSatisfy { entry in (configuration[entry.key] ?? .null) == entry.value }
      && (configuration["activation_function"]?.string == self.configuration["activation_function"]?.string
        || configuration["layers"] == 1)
  }

  /// What a tensor of the class is in the bundle format.
  public enum Meaning: Hashable, Sendable {
    case tensor(String)
    /// Something that the class stores twice.
    case unused
  }

  /// - Returns: `nil` if the tensor belongs to nothing in the head
  public func meaning(ofTensor name: String) -> Meaning? {
    names.first { name.hasPrefix($0.old) }.map { old, new in
      new.map { .tensor($0 + name.dropFirst(old.count)) } ?? .unused
    }
  }

  /// The class's name of a tensor of the bundle format.
  public func stored(_ stable: String) -> String? {
    names.lazy.compactMap { old, new in new.flatMap { stable.after($0) }.map { old + $0 } }.first
  }
}

extension HeadForm {
  static let tagging = HeadForm(
    tasks: ["ForTokenClassification"], configuration: ["layers": 1, "head_type": "tagging"],
    names: [("classifier.", "linear.0.")])

  static let questionAnswering = HeadForm(
    tasks: ["ForQuestionAnswering"], configuration: ["layers": 1, "head_type": "question_answering"],
    names: [("qa_outputs.", "linear.0.")])

  /// One layer over what the pooler makes of the first token.
  static let pooledClassification = HeadForm(
    tasks: ["ForSequenceClassification"],
    configuration: ["layers": 1, "head_type": "classification", "use_pooler": true],
    names: [("classifier.", "linear.0.")])

  /// Two layers over the first token.
  static func classification(
    dense: String = "classifier.dense.", _ activation: String, output: String = "classifier.out_proj."
  ) -> HeadForm {
    HeadForm(
      tasks: ["ForSequenceClassification"],
      configuration: [
        "head_type": "classification", "layers": 2, "use_pooler": false, "activation_function": .string(activation),
      ],
      names: [(dense, "linear.0."), (output, "linear.1.")])
  }

  /// - Parameter bias: a tensor that today's files hold a second time as the decoder's
  static func maskedWords(dense: String, norm: String, decoder: String, bias: String? = nil) -> HeadForm {
    HeadForm(
      tasks: ["ForMaskedLM"],
      configuration: ["head_type": "masked_lm", "layers": 2, "activation_function": "gelu", "layer_norm": true],
      names: [(dense, "dense."), (norm, "norm."), (decoder, "decoder.")] + (bias.map { [($0, nil)] } ?? []))
  }

  /// One layer without a bias over the last token.
  static let lastTokenClassification = HeadForm(
    tasks: ["ForSequenceClassification"],
    configuration: ["head_type": "classification", "layers": 1, "use_pooler": false, "bias": false],
    names: [("score.", "linear.0.")])

  /// The words that follow, by the word embeddings unless the file has a matrix of its own.
  static let causalWords = HeadForm(
    tasks: ["LMHeadModel", "ForCausalLM"],
    configuration: ["head_type": "causal_lm", "layers": 1, "layer_norm": false, "bias": false],
    names: [("lm_head.", "decoder.")])

  /// The words that a decoder writes.
  static let writtenWords = HeadForm(
    tasks: ["ForConditionalGeneration", "MTModel"],
    configuration: ["head_type": "seq2seq_lm", "layers": 1, "layer_norm": false, "bias": false],
    names: [("lm_head.", "decoder."), ("final_logits_bias", "decoder.bias")])
}
