import HubModels
import HubWords
import HubWeights

/// The head that a model class of Hugging Face has of its own, as `adapters.init(model)` saves it: the configuration
/// names the class, the tensors have the names of its modules.
enum AdapterHubStaticHead {
  static func read(_ json: JSONObject, _ modelClass: String, _ file: WeightFile) throws -> ForeignAdapter.Head {
    let family = try json.optionalString("model_type").flatMap(ModelFamilies.family(of:))
    guard let form = family?.head(ofClass: modelClass) else {
      throw Failure(
        .unsupportedForeignContent, "heads of the class \(modelClass.debugDescription) are not supported",
        at: "model_class")
    }
    let weights: [StoredTensor] = try file.tensors.compactMap { tensor in
      switch form.meaning(ofTensor: tensor.name) {
      case .tensor(let stable): return tensor.renamed(stable)
      case .unused: return nil
      case nil:
        throw Failure(.unknownForeignTensor, "a \(modelClass) has no place for the tensor", at: tensor.name)
      }
    }
    return ForeignAdapter.Head(
      name: try json.optionalString("name") ?? "default", configuration: try configuration(json, form, weights),
      weights: weights)
  }

  private static func configuration(
    _ json: JSONObject, _ form: HeadForm, _ weights: [StoredTensor]
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
