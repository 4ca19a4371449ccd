import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer
import HubWeights

/// A BERT of two layers with random weights, and two short sequences for it.
struct TinyModel {
  let engine = Engine(kernels: Kernels.available[0], threads: 1)
  let base: any BaseModel
  let tokens = TokenBatch([(ids: [1, 5, 9, 2], typeIDs: [0, 0, 1, 1]), (ids: [1, 7, 2], typeIDs: [0, 0, 0])])

  static let configuration: JSON.Members = [
    "model_type": "bert", "vocab_size": 12, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16, "type_vocab_size": 2, "hidden_act": "gelu",
  ]

  init() throws {
    base = try BERT(
      .bert, configuration: JSONObject(Self.configuration), weights: ParameterSource(Spread(seed: 1, engine: engine)))
  }

  /// A fresh adapter, its weights spread out so that every path matters.
  func adapter(_ configuration: JSON.Members, seed: UInt64) throws -> any AdapterMethod {
    let c = JSONObject(configuration)
    return try AdapterMethods.type(for: c).init(
      configuration: c, shape: base.shape, weights: ParameterSource(Spread(seed: seed, engine: engine)))
  }

  func fusion(_ configuration: JSON.Members, sites: Set<Site>) throws -> AdapterFusion {
    try AdapterFusion(
      configuration: JSONObject(configuration), sites: sites, shape: base.shape,
      weights: ParameterSource(Spread(seed: 9, engine: engine)))
  }

  func setup(
    _ composition: Composition, _ adapters: [String: any AdapterMethod], fusion: JSON.Members = [:]
  ) throws -> Setup {
    try Setup(composition) {
      adapters[$0]
    } fusion: { _, _, sites in
      try self.fusion(fusion, sites: sites)
    }
  }

  func hidden(_ setup: Setup?, in context: Context? = nil) throws -> Tensor {
    let context = context ?? Context(engine)
    guard let setup else { return try base(tokens, with: NoInterventions(), in: context) }
    return try base(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: context)
  }
}

/// Values around the initial ones, so that nothing is zero: an adapter at its initialisation would hide mistakes.
struct Spread: ParameterProvider {
  let seed: UInt64
  let engine: Engine

  func has(_ name: String) -> Bool { true }

  func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    let fresh = FreshParameters(seed: seed, engine: engine)
    let start = try fresh.parameter(
      name, shape, initially: [.ones, .diagonal(-1)].contains(initial) ? initial : .zeros)
    let noise = try fresh.parameter(name, shape, initially: .normal(deviation: 0.3))
    return Parameter(name, Context(engine).add(start.value, noise.value), shape: shape)
  }
}

/// One configuration of every kind of bottleneck adapter; smooth, or finite differences would stumble over kinks.
let bottlenecks: [(name: String, configuration: JSON.Members)] = {
  let sequential: JSON.Members = [
    "mh_adapter": false, "output_adapter": true, "original_ln_before": true, "original_ln_after": true,
    "non_linearity": "gelu", "reduction_factor": 2,
  ]
  let double = sequential.with(["mh_adapter": true, "original_ln_before": false, "non_linearity": "swish"])
  let phm: JSON.Members = ["phm_layer": true, "phm_dim": 2]
  let parallel = sequential.with([
    "is_parallel": true, "original_ln_before": false, "scaling": 4.0, "init_weights": "mam_adapter",
    "non_linearity": "tanh",
  ])
  return [
    ("seq_bn", sequential), ("double_seq_bn", double), ("par_bn", parallel),
    ("scaled_par_bn", parallel.with(["scaling": "learned"])),
    ("seq_bn_inv", sequential.with(["inv_adapter": "nice", "inv_adapter_reduction_factor": 2])),
    ("channel", double.with(["scaling": "channel"])),
    ("own norms", double.with(["ln_before": true, "ln_after": true])),
    ("residual after norm", sequential.with(["residual_before_ln": false])),
    ("post_add", sequential.with(["residual_before_ln": "post_add"])),
    ("residual before own norm", sequential.with(["ln_after": true, "adapter_residual_before_ln": true])),
    ("without last norm", sequential.with(["original_ln_after": false])),
    ("first layer only", sequential.with(["leave_out": [1]])),
    ("compacter", double.with(phm)),
    (
      "compacter, own factorised rules",
      sequential.with(phm).with(["shared_phm_rule": false, "factorized_phm_rule": true])
    ),
    ("compacter, whole weights", sequential.with(phm).with(["factorized_phm_W": false, "phm_bias": false])),
    ("compacter, shared weights", double.with(phm).with(["shared_W_phm": true, "phm_rank": 2])),
    ("gated", sequential.with(["use_gating": true])),
    ("per layer", sequential.with(["reduction_factor": ["0": 4, "default": 1]])),
  ]
}()

/// One configuration of every kind of adapter of linear layers.
let linears: [(name: String, configuration: JSON.Members)] = {
  let lora: JSON.Members = ["architecture": "lora", "r": 2, "alpha": 6, "attn_matrices": ["q", "v"]]
  let everywhere: JSON.Members = ["attn_matrices": ["q", "k", "v"], "intermediate_lora": true, "output_lora": true]
  let scale = lora.with(["r": 1, "composition_mode": "scale", "init_weights": "ia3"])
  return [
    ("lora", lora), ("lora everywhere", lora.with(everywhere).with(["leave_out": [0]])),
    ("gated lora", lora.with(["use_gating": true])),
    ("dora", lora.with(["use_dora": true, "intermediate_lora": true])),
    ("vera", lora.with(["vera_d": 0.1, "vera_b": 0.0, "init_weights": "vera"])),
    ("dvora", lora.with(["vera_d": 0.1, "vera_b": 0.5, "use_dora": true])), ("ia3", scale.with(everywhere)),
    ("gated ia3", scale.with(["use_gating": true])),
  ]
}()

private let knowledge: JSON.Members = [
  "architecture": "k_adapter", "adapter_list": [0, 1], "adapter_size": 4, "adapter_transformer_layers": 1,
  "num_attention_heads": 2, "intermediate_size": 6,
]

/// One configuration of every method and of every option that has a path of its own.
let methods =
  bottlenecks + linears + [
    ("loreft", ["architecture": "reft", "orthogonality": true, "r": 2]),
    (
      "noreft",
      [
        "architecture": "reft", "orthogonality": false, "prefix_positions": 2, "suffix_positions": 1,
        "non_linearity": "tanh",
      ]
    ),
    ("direft", ["architecture": "reft", "orthogonality": false, "subtract_projection": false, "layers": [1]]),
    ("tied reft", ["architecture": "reft", "orthogonality": true, "tied_weights": true, "suffix_positions": 3]),
    ("mtl_lora", ["architecture": "mtl_lora", "r": 2, "attn_matrices": ["q", "v"], "n_up_projection": 2]),
    ("prompt", ["architecture": "prompt_tuning", "prompt_length": 2]),
    ("prefix", ["architecture": "prefix_tuning", "prefix_length": 3, "bottleneck_size": 4]),
    ("flat prefix", ["architecture": "prefix_tuning", "prefix_length": 2, "flat": true, "leave_out": [0]]),
    (
      "gated prefix",
      ["architecture": "prefix_tuning", "prefix_length": 2, "flat": true, "use_gating": true, "shared_gating": false]
    ),
    ("lhuc", ["architecture": "lhuc"]), ("lhuc, last layer only", ["architecture": "lhuc", "leave_out": [0]]),
    ("pal", ["architecture": "pal", "size": 6, "heads": 2]),
    ("pal, own projections", ["architecture": "pal", "size": 6, "heads": 3, "shared_projections": false]),
    ("low-rank pal", ["architecture": "pal", "size": 3, "attention": false]),
    (
      "low-rank pal, shared",
      ["architecture": "pal", "size": 3, "attention": false, "shared_projections": true, "non_linearity": "tanh"]
    ),
    ("adamix", ["architecture": "adamix", "num_experts": 3, "reduction_factor": 4]),
    (
      "adamix, everywhere",
      [
        "architecture": "adamix", "num_experts": 2, "reduction_factor": 4, "sharing_up": false, "sharing_down": true,
        "mh_adapter": true,
      ]
    ),
    ("adamix ensemble", ["architecture": "adamix", "num_experts": 3, "reduction_factor": 4, "inference": "ensemble"]),
    ("k_adapter", knowledge),
    (
      "k_adapter of two kinds, skipping",
      knowledge.with(["knowledge": 2, "adapter_skip_layers": 2, "adapter_list": [0, 1, 2]])
    ),
    (
      "udapter",
      [
        "architecture": "udapter", "reduction_factor": 4, "languages": ["de", "tr"], "language": "tr",
        "language_size": 3,
      ]
    ),
    (
      "udapter from typology",
      [
        "architecture": "udapter", "reduction_factor": 4, "languages": ["de", "tr"], "language": "de",
        "language_size": 3, "features": 5, "feature_projection": 4,
      ]
    ),
    (
      "union",
      ["architecture": "union", "configs": [.object(linears[0].configuration), .object(bottlenecks[4].configuration)]]
    ),
  ]
