import HubManifest
import HubWeights

/// The head that a model class of Hugging Face has of its own, as `adapters.init(model)` saves it: the configuration names
/// the class, the tensors have the names of its modules.
enum AdapterHubStaticHead {
  static func read(_ json: JSONObject, _ modelClass: String, _ file: WeightFile) throws -> ForeignAdapter.Head {
    guard let form = CheckpointHeadForm.of(modelClass) else {
      throw Failure(
        .unsupportedForeignContent, "heads of the class \(modelClass.debugDescription) are not supported",
        at: "model_class")
    }
    let weights = try file.tensors.compactMap { tensor in
      guard let stable = form.stable(tensor.name) else {
        throw Failure(.unknownForeignTensor, "the tensor belongs to nothing in a \(modelClass)", at: tensor.name)
      }
      return stable == CheckpointHeadForm.unused ? nil : tensor.renamed(stable)
    }
    return ForeignAdapter.Head(
      name: try json.optionalString("name") ?? "default", configuration: try configuration(json, form, weights),
      weights: weights)
  }

  private static func configuration(
    _ json: JSONObject, _ form: CheckpointHeadForm, _ weights: [StoredTensor]
  ) throws -> JSON.Members {
    var configuration = form.configuration
    func shape(_ name: String) -> [Int]? { weights.first { $0.name == name }?.shape }
    if configuration["head_type"] == "masked_lm" {
      configuration["bias"] = .bool(shape("decoder.bias") != nil)
      configuration["vocab_size"] = shape("decoder.weight")?.first.map(JSON.integer)
      configuration["embedding_size"] = shape("decoder.weight")?.last.map(JSON.integer)
      return configuration
    }
    let last = "linear.\((configuration["layers"]?.integer ?? 1) - 1).weight"
    configuration["num_labels"] = (shape(last)?.first ?? json.members["num_labels"]?.integer).map(JSON.integer)
    return configuration.with(try AdapterHubConfiguration.labels(json))
  }
}
