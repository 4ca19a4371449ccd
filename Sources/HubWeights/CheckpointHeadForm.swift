public import HubManifest

/// The head of one of Hugging Face's model classes, as a head of the bundle format: its configuration, and what its
/// tensors are called.
public struct CheckpointHeadForm: Sendable {
  public let classes: Set<String>
  public let configuration: JSON.Members
  /// What replaces what at the beginning of a name; `unused` marks what no head reads.
  private let names: [(old: String, new: String)]

  /// The form of a class; `nil` if it is not known.
  public static func of(_ modelClass: String) -> CheckpointHeadForm? { all.first { $0.classes.contains(modelClass) } }

  /// The form of a head, and the class of a model family that has it; `nil` if none has.
  public static func matching(
    _ configuration: JSON.Members, family: String
  ) -> (form: CheckpointHeadForm, modelClass: String)? {
    for form in all {
      guard form.configuration.entries.allSatisfy({ entry in (configuration[entry.key] ?? .null) == entry.value }),
        configuration["activation_function"]?.string == form.configuration["activation_function"]?.string
          || configuration["layers"] == 1,
        let modelClass = form.classes.first(where: { $0.hasPrefix(family + "For") })
      else { continue }
      return (form, modelClass)
    }
    return nil
  }

  /// The same for the family of a `model_type`.
  public static func matching(
    _ configuration: JSON.Members, architecture: String
  ) -> (form: CheckpointHeadForm, modelClass: String)? {
    classNames[architecture].flatMap { matching(configuration, family: $0) }
  }

  /// What Hugging Face's classes for a model begin with.
  public static let classNames = [
    "bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "xmod": "Xmod", "electra": "Electra",
    "distilbert": "DistilBert",
  ]

  /// The bundle format's name of a tensor; `nil` if it belongs to nothing in the head.
  public func stable(_ name: String) -> String? {
    for (old, new) in names where name.hasPrefix(old) {
      return new == Self.unused ? new : new + name.dropFirst(old.count)
    }
    return nil
  }

  /// The class's name of a tensor.
  public func stored(_ stable: String) -> String? {
    for (old, new) in names where new != Self.unused && stable.hasPrefix(new) {
      return old + stable.dropFirst(new.count)
    }
    return nil
  }

  public static let unused = "unused"

  private static let all: [CheckpointHeadForm] = {
    let one: JSON.Members = ["layers": 1]
    let language: JSON.Members = [
      "head_type": "masked_lm", "layers": 2, "activation_function": "gelu", "layer_norm": true,
    ]
    let twoLayers: JSON.Members = ["head_type": "classification", "layers": 2, "use_pooler": false]
    let robertas = ["Roberta", "XLMRoberta", "Xmod"], sequence = "ForSequenceClassification"
    let others = robertas + ["Bert", "DistilBert", "Electra"]
    return [
      CheckpointHeadForm(
        classes: ["Bert" + sequence], configuration: one.with(["head_type": "classification", "use_pooler": true]),
        names: [("classifier.", "linear.0.")]),
      CheckpointHeadForm(
        classes: Set(robertas.map { $0 + sequence }), configuration: twoLayers.with(["activation_function": "tanh"]),
        names: [("classifier.dense.", "linear.0."), ("classifier.out_proj.", "linear.1.")]),
      CheckpointHeadForm(
        classes: ["Electra" + sequence], configuration: twoLayers.with(["activation_function": "gelu"]),
        names: [("classifier.dense.", "linear.0."), ("classifier.out_proj.", "linear.1.")]),
      CheckpointHeadForm(
        classes: ["DistilBert" + sequence], configuration: twoLayers.with(["activation_function": "relu"]),
        names: [("pre_classifier.", "linear.0."), ("classifier.", "linear.1.")]),
      CheckpointHeadForm(
        classes: Set(others.map { $0 + "ForTokenClassification" }), configuration: one.with(["head_type": "tagging"]),
        names: [("classifier.", "linear.0.")]),
      CheckpointHeadForm(
        classes: Set(others.map { $0 + "ForQuestionAnswering" }),
        configuration: one.with(["head_type": "question_answering"]),
        names: [("qa_outputs.", "linear.0.")]),
      CheckpointHeadForm(
        classes: ["BertForMaskedLM"], configuration: language,
        names: [
          ("cls.predictions.transform.dense.", "dense."), ("cls.predictions.transform.LayerNorm.", "norm."),
          ("cls.predictions.decoder.", "decoder."), ("cls.predictions.bias", unused),
        ]),
      CheckpointHeadForm(
        classes: Set(robertas.map { $0 + "ForMaskedLM" }), configuration: language,
        names: [
          ("lm_head.dense.", "dense."), ("lm_head.layer_norm.", "norm."), ("lm_head.decoder.", "decoder."),
          ("lm_head.bias", unused),
        ]),
      CheckpointHeadForm(
        classes: ["DistilBertForMaskedLM"], configuration: language,
        names: [("vocab_transform.", "dense."), ("vocab_layer_norm.", "norm."), ("vocab_projector.", "decoder.")]),
      CheckpointHeadForm(
        classes: ["ElectraForMaskedLM"], configuration: language,
        names: [
          ("generator_predictions.dense.", "dense."), ("generator_predictions.LayerNorm.", "norm."),
          ("generator_lm_head.", "decoder."),
        ]),
    ]
  }()
}
