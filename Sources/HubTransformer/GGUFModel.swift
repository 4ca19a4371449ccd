import HubWeights
import HubWords

/// A model that comes as a GGUF file, in the words of Hugging Face's checkpoints: LLaMA, Mistral and Qwen2.
///
/// The weights are made 32-bit numbers. Writers of such files put the rows of LLaMA's queries and keys into another
/// order, in which pairs that are rotated stand side by side; here they get their own order back.
struct GGUFModel {
  /// What `config.json` would say.
  let configuration: JSONObject
  /// The tensors by the names of Hugging Face's checkpoints.
  let tensors: [StoredTensor]

  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedModel``: another architecture, or what it has besides
  init(_ path: String) throws {
    let file = try GGUFFile(path)
    let architecture = try file.required("general.architecture", "a text") { $0.string }
    guard ["llama", "qwen2"].contains(architecture) else {
      throw Failure(
        .unsupportedModel, "GGUF files of the architecture \(architecture.debugDescription) are not supported",
        at: path,
        hint: "supported: llama, qwen2")
    }
    let sizes = try GGUFSizes(file, architecture)
    configuration = JSONObject(try sizes.configuration(), path: path)
    tensors = try locating(path) {
      try file.tensors.map { tensor in
        guard let name = Self.name(of: tensor.name) else {
          throw Failure(.unsupportedModel, "a \(architecture) has no place for the tensor", at: tensor.name)
        }
        let order = architecture == "llama" ? sizes.rowOrder(of: name, rows: tensor.shape.first ?? 0) : nil
        return try tensor.expanded(named: name, rowOrder: order)
      }
    }
  }

  private static let names = [
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
  ]

  /// The name of a tensor in Hugging Face's checkpoints; `nil` if the file's name means nothing.
  private static func name(of tensor: String) -> String? {
    let parts = tensor.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let kind = parts.last, kind == "weight" || kind == "bias" else { return nil }
    if parts.count == 2, let name = names[parts[0]] { return "\(name).\(kind)" }
    guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0, let name = names[parts[2]] else {
      return nil
    }
    return "model.layers.\(layer).\(name).\(kind)"
  }
}

/// The sizes in the metadata of a GGUF file.
private struct GGUFSizes {
  private let file: GGUFFile
  private let architecture: String
  private let heads, keyHeads: Int

  init(_ file: GGUFFile, _ architecture: String) throws {
    (self.file, self.architecture) = (file, architecture)
    heads = try file.required("\(architecture).attention.head_count", "an integer") { $0.integer }
    keyHeads = try file.optional("\(architecture).attention.head_count_kv", "an integer") { $0.integer } ?? heads
    guard (1...1024).contains(heads), (1...heads).contains(keyHeads) else {
      throw Failure(
        .invalidModelConfiguration, "\(heads) heads cannot share \(keyHeads) heads of keys", at: file.path)
    }
  }

  private func integer(_ key: String) throws -> Int {
    try file.required("\(architecture).\(key)", "an integer") { $0.integer }
  }

  func configuration() throws -> JSON.Members {
    guard let words = file["token_embd.weight"]?.shape.first else {
      throw Failure(.missingTensor, "there is no such tensor", at: "\(file.path): token_embd.weight")
    }
    if file["rope_freqs.weight"] != nil {
      throw Failure(
        .unsupportedModel, "rotary positions with factors in a tensor are not supported", at: "rope_freqs.weight")
    }
    var members = JSON.Members()
    members["model_type"] = .string(architecture)
    members["architectures"] = [.string(architecture == "llama" ? "LlamaForCausalLM" : "Qwen2ForCausalLM")]
    members["vocab_size"] = .integer(words)
    members["hidden_size"] = .integer(try integer("embedding_length"))
    members["intermediate_size"] = .integer(try integer("feed_forward_length"))
    members["num_hidden_layers"] = .integer(try integer("block_count"))
    members["num_attention_heads"] = .integer(heads)
    members["num_key_value_heads"] = .integer(keyHeads)
    members["max_position_embeddings"] = .integer(try integer("context_length"))
    members["tie_word_embeddings"] = .bool(file["output.weight"] == nil)
    members["rms_norm_eps"] = .number(
      try file.required("\(architecture).attention.layer_norm_rms_epsilon", "a number") { $0.number })
    members["rope_theta"] = .number(
      try file.optional("\(architecture).rope.freq_base", "a number") { $0.number } ?? 10_000)
    members["head_dim"] = try file.optional("\(architecture).attention.key_length", "an integer") { $0.integer }.map(
      JSON.integer)
    members["rope_scaling"] = try scaling()
    for (key, name) in [("bos", "bos"), ("eos", "eos"), ("padding", "pad")] {
      members["\(name)_token_id"] = try file.optional("tokenizer.ggml.\(key)_token_id", "an id") { $0.integer }.map(
        JSON.integer)
    }
    return members
  }

  private func scaling() throws -> JSON? {
    guard let kind = try file.optional("\(architecture).rope.scaling.type", "a text", { $0.string }), kind != "none"
    else {
      return nil
    }
    guard kind == "linear" else {
      throw Failure(
        .unsupportedModel, "rotary positions scaled by \(kind.debugDescription) in GGUF are not supported",
        at: file.path)
    }
    let factor = try file.required("\(architecture).rope.scaling.factor", "a number") { $0.number }
    return ["rope_type": "linear", "factor": .number(factor)]
  }

  /// Which row of the file comes in which place, for queries and keys: of a head with `d` rows, `2i` and `2i + 1` are
  /// `i` and `d/2 + i`.
  func rowOrder(of name: String, rows: Int) -> [Int]? {
    let count = name.contains(".q_proj.") ? heads : name.contains(".k_proj.") ? keyHeads : 0
    guard count > 0, rows % (2 * count) == 0 else { return nil }
    let width = rows / count
    return (0..<rows).map { row in
      let (head, place) = (row / width, row % width)
      return head * width + (place < width / 2 ? 2 * place : 2 * (place - width / 2) + 1)
    }
  }
}
