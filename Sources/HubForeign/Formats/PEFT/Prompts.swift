import HubWords
import HubWeights

extension PEFTMethod {
  private static let options: Set<String> = [
    "num_virtual_tokens", "token_dim", "num_attention_heads", "num_layers", "num_transformer_submodules",
    "encoder_hidden_size", "prefix_projection", "prompt_tuning_init", "prompt_tuning_init_text",
    "tokenizer_name_or_path",
    "tokenizer_kwargs", "encoder_reparameterization_type", "encoder_num_layers", "encoder_dropout",
    "modules_to_save", "init_weights",
  ]

  /// Prefix tuning: `[tokens, 2 · layers · hidden]`, keys and values of all layers; the text's positions begin after
  /// them.
  static let prefixTuning: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    let config = files.config
    try refuseOptions(config, except: options)
    let length = try config.integer("num_virtual_tokens"), hiddenSize = try config.integer("token_dim")
    guard try config.optionalInteger("num_transformer_submodules") ?? 1 == 1 else {
      throw Failure(
        .unsupportedForeignContent, "prefixes of encoder-decoder models are not supported",
        at: "num_transformer_submodules")
    }
    let tensor = try prompt(files, length)
    if let layers = try config.optionalInteger("num_layers") {
      let (half, overflow) = layers.multipliedReportingOverflow(by: hiddenSize)
      guard !overflow, half > 0, half < 1 << 40, tensor.shape.last == 2 * half else {
        throw Failure(
          .unsupportedForeignContent,
          "the shape \(tensor.shape) does not fit \(layers) layers of \(hiddenSize) columns",
          at: "num_layers")
      }
    }
    guard let flat = tensor.reshaped([tensor.count]) else { throw unexpectedPrompt(length) }
    return PEFTMethod(
      name: "prefix_tuning_flat",
      configuration: [
        "architecture": "prefix_tuning", "flat": true, "prefix_length": .integer(length), "shift_positions": true,
      ],
      weights: [flat.renamed("prefix.values")], hiddenSize: hiddenSize)
  }

  /// Prompt tuning, and P-tuning (Liu et al. 2021), whose encoder PEFT leaves out when it saves: `[tokens, hidden]`,
  /// words before the text's.
  static let promptTuning: @Sendable (PEFTFiles) throws -> PEFTMethod = { files in
    try refuseOptions(files.config, except: options)
    let length = try files.config.integer("num_virtual_tokens"), tensor = try prompt(files, length)
    if let width = try files.config.optionalInteger("token_dim"), tensor.shape.count == 2, width != tensor.shape[1] {
      throw Failure(
        .unsupportedForeignContent, "the prompt has \(tensor.shape[1]) columns, but the configuration says \(width)",
        at: "token_dim")
    }
    return PEFTMethod(
      name: "prompt_tuning",
      configuration: ["architecture": "prompt_tuning", "prompt_length": .integer(length), "combine": "words"],
      weights: [tensor.renamed("prompt.embedding")], hiddenSize: tensor.shape[1])
  }

  private static func prompt(_ files: PEFTFiles, _ length: Int) throws -> StoredTensor {
    guard files.modules.isEmpty, files.shared.count == 1, let tensor = files.shared["prompt_embeddings"],
      tensor.shape.count == 2, tensor.shape[0] == length
    else { throw unexpectedPrompt(length) }
    return tensor
  }

  private static func unexpectedPrompt(_ length: Int) -> Failure {
    Failure(
      .unknownForeignTensor, "expected a single tensor, prompt_embeddings, of \(length) rows", at: "num_virtual_tokens")
  }
}
