import HubModels
public import HubWords
public import HubTransformer
import HubWeights

/// Heads that come with a base model, because it was trained for a task as a whole.
///
/// As in the Python library a language model has no bias in its last layer unless the file holds it as `decoder.bias`,
/// which today's files do not: adapters were trained without it.
public struct CheckpointHead: Sendable {
  /// AdapterHub's keys of `head_config.json`.
  public let configuration: JSON.Members
  /// The head's tensors, by the names of the bundle format.
  public let weights: StoredWeights

  /// The head of a checkpoint in the words of the bundle format; `nil` if the checkpoint is of a model without one.
  ///
  /// - Parameter keepsBias: whether a language model's last layer has the bias that the class has in `transformers`
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedHead`` if the class is unknown or a tensor is left over.
  public init?(_ checkpoint: Checkpoint, keepsBias: Bool = false) throws {
    guard let name = checkpoint.configuration.members["architectures"]?.strings?.first else { return nil }
    let form = checkpoint.family.head(ofClass: name)
    // What a decoder writes with may all be its word embeddings.
    let writes = ["causal_lm", "seq2seq_lm"].contains(form?.configuration["head_type"]?.string)
    guard !checkpoint.headTensors.isEmpty || writes else { return nil }
    guard let form else {
      throw Failure(
        .unsupportedHead, "heads of the class \(name.debugDescription) are not supported", at: "architectures")
    }
    var tensors: [String: StoredTensor] = [:]
    for tensor in checkpoint.headTensors {
      switch form.meaning(ofTensor: tensor.name) {
      case .tensor(let stable):
        // BART keeps its bias as a matrix of one row.
        let isRow = tensor.shape.count == 2 && stable.hasSuffix(".bias")
        tensors[stable] = (isRow ? tensor.reshaped([tensor.count]) : tensor)?.renamed(stable)
      case .unused where keepsBias && tensor.name.hasSuffix("bias"):
        tensors["decoder.bias"] = tensor.renamed("decoder.bias")
      case .unused: break
      case nil: throw Failure(.unsupportedHead, "a \(name) has no place for the tensor", at: tensor.name)
      }
    }
    var configuration = form.configuration
    if writes || configuration["head_type"] == "masked_lm" {
      // The last layer is the word embeddings, unless it is a matrix of its own.
      let words = checkpoint.weights.tensors[checkpoint.family.wordEmbeddings + ".weight"]
      let complete = checkpoint.family.completed(checkpoint.configuration)
      if tensors["decoder.weight"] == nil {
        guard try complete.optionalBool("tie_word_embeddings") ?? true else {
          throw Failure(.unsupportedHead, "the output matrix over the vocabulary is missing", at: "lm_head.weight")
        }
        tensors["decoder.weight"] = words?.renamed("decoder.weight")
      }
      configuration["bias"] = .bool(tensors["decoder.bias"] != nil)
      configuration["vocab_size"] = checkpoint.configuration.members["vocab_size"]
      configuration["embedding_size"] = .integer(words?.shape.last ?? 0)
    } else {
      configuration["label2id"] = checkpoint.configuration.members["label2id"]
      configuration["num_labels"] = .integer(checkpoint.configuration.members["label2id"]?.object?.entries.count ?? 2)
    }
    self.configuration = configuration
    weights = StoredWeights(tensors)
  }
}
