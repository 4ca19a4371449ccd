public import HubManifest
public import HubTransformer
import HubWeights

/// Heads that come with a base model, because it was trained for a task as a whole.
///
/// As in the Python library a language model has no bias in its last layer unless the file holds it as `decoder.bias`,
/// which today's files do not: adapters were trained without it.
public struct CheckpointHead: Sendable {
  public let configuration: JSON.Members
  public let weights: StoredWeights

  /// The head of a checkpoint in the words of the bundle format; `nil` if the checkpoint is of a model without one.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedHead`` if the class is unknown or a tensor is left over.
  public init?(_ checkpoint: Checkpoint) throws {
    guard !checkpoint.headTensors.isEmpty, let name = checkpoint.configuration.members["architectures"]?.strings?.first else { return nil }
    guard let form = Self.forms.first(where: { $0.classes.contains(name) }) else {
      throw Failure(.unsupportedHead, "heads of the class \(name.debugDescription) are not supported", at: "architectures")
    }
    var tensors: [String: StoredTensor] = [:]
    for tensor in checkpoint.headTensors {
      guard let stable = form.stable(tensor.name) else {
        throw Failure(.unsupportedHead, "the tensor belongs to nothing in a \(name)", at: tensor.name)
      }
      tensors[stable] = tensor.renamed(stable)
    }
    tensors["unused"] = nil
    var configuration = form.configuration
    if configuration["head_type"] == "masked_lm" {
      // The last layer is the word embeddings.
      let words = checkpoint.weights.tensors["embeddings.word_embeddings.weight"]
      if tensors["decoder.weight"] == nil { tensors["decoder.weight"] = words?.renamed("decoder.weight") }
      configuration["bias"] = .bool(tensors["decoder.bias"] != nil)
      configuration["vocab_size"] = checkpoint.configuration.members["vocab_size"]
      configuration["embedding_size"] = checkpoint.configuration.members["hidden_size"]
    } else {
      configuration["label2id"] = checkpoint.configuration.members["label2id"]
      configuration["num_labels"] = .integer(checkpoint.configuration.members["label2id"]?.object?.entries.count ?? 2)
    }
    self.configuration = configuration
    weights = StoredWeights(tensors)
  }

  /// One of Hugging Face's heads, as one of ours.
  private struct Form: Sendable {
    let classes: Set<String>
    let configuration: JSON.Members
    /// What replaces what at the beginning of a name.
    let names: [(old: String, new: String)]

    func stable(_ name: String) -> String? {
      for (old, new) in names where name.hasPrefix(old) { return new + name.dropFirst(old.count) }
      return nil
    }
  }

  private static let forms: [Form] = {
    func models(_ ending: String) -> Set<String> { Set(["Roberta", "XLMRoberta"].map { $0 + ending }) }
    let one: JSON.Members = ["layers": 1]
    let language: JSON.Members = ["head_type": "masked_lm", "layers": 2, "activation_function": "gelu", "layer_norm": true]
    return [
      Form(
        classes: ["BertForSequenceClassification"], configuration: one.with(["head_type": "classification", "use_pooler": true]),
        names: [("classifier.", "linear.0.")]),
      Form(
        classes: models("ForSequenceClassification"),
        configuration: ["head_type": "classification", "layers": 2, "activation_function": "tanh", "use_pooler": false],
        names: [("classifier.dense.", "linear.0."), ("classifier.out_proj.", "linear.1.")]),
      Form(
        classes: models("ForTokenClassification").union(["BertForTokenClassification"]), configuration: one.with(["head_type": "tagging"]),
        names: [("classifier.", "linear.0.")]),
      Form(
        classes: models("ForQuestionAnswering").union(["BertForQuestionAnswering"]), configuration: one.with(["head_type": "question_answering"]),
        names: [("qa_outputs.", "linear.0.")]),
      Form(
        classes: ["BertForMaskedLM"], configuration: language,
        names: [
          ("cls.predictions.transform.dense.", "dense."), ("cls.predictions.transform.LayerNorm.", "norm."),
          ("cls.predictions.decoder.", "decoder."), ("cls.predictions.bias", "unused"),
        ]),
      Form(
        classes: models("ForMaskedLM"), configuration: language,
        names: [("lm_head.dense.", "dense."), ("lm_head.layer_norm.", "norm."), ("lm_head.decoder.", "decoder."), ("lm_head.bias", "unused")]),
    ]
  }()
}
