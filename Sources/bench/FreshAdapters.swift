import HubAdapters
import HubManifest
import HubTensor
import HubTransformer

/// Adapters of every method with the sizes that it is used with, fresh: they cost what trained ones do, and there is a file of few.
enum FreshAdapters {
  /// What a method is called, and its configuration; some depend on the base.
  static let all: [(name: String, configuration: @Sendable (BaseShape) -> JSON.Members)] = [
    ("seq_bn", { _ in sequential }), ("double_seq_bn", { _ in double }), ("par_bn", { _ in parallel }),
    ("seq_bn_inv", { _ in sequential.with(["reduction_factor": 2, "inv_adapter": "nice", "inv_adapter_reduction_factor": 2]) }),
    ("bapna_firat", { _ in sequential.with(["original_ln_after": false, "residual_before_ln": false, "ln_before": true]) }),
    ("compacter", { _ in double.with(["phm_layer": true, "reduction_factor": 32]) }), ("lora", { _ in lora }),
    ("ia3", { _ in lora.with(["r": 1, "alpha": 1, "attn_matrices": ["k", "v"], "intermediate_lora": true, "composition_mode": "scale", "init_weights": "ia3"]) }),
    ("dora", { _ in lora.with(["use_dora": true]) }), ("vera", { _ in lora.with(["vera_d": 0.1, "vera_b": 0.0, "init_weights": "vera"]) }),
    ("prefix_tuning", { _ in ["architecture": "prefix_tuning"] }), ("loreft", { _ in ["architecture": "reft", "orthogonality": true] }),
    ("mam", { _ in ["architecture": "union", "configs": [.object(["architecture": "prefix_tuning", "bottleneck_size": 800]), .object(parallel)]] }),
    ("lhuc", { _ in ["architecture": "lhuc"] }), ("pal", { _ in ["architecture": "pal"] }),
    ("low_rank_pal", { _ in ["architecture": "pal", "attention": false] }),
    ("k_adapter", { ["architecture": "k_adapter", "adapter_list": [0, .integer($0.layers / 2), .integer($0.layers)]] }),
    ("adamix", { _ in ["architecture": "adamix"] }), ("adamix_ensemble", { _ in ["architecture": "adamix", "inference": "ensemble"] }),
    ("udapter", { _ in ["architecture": "udapter", "languages": ["de"], "language": "de", "language_size": 4] }),
  ]

  private static let sequential: JSON.Members = [
    "mh_adapter": false, "output_adapter": true, "original_ln_before": true, "original_ln_after": true, "non_linearity": "relu", "reduction_factor": 16,
  ]
  private static let double = sequential.with(["mh_adapter": true, "original_ln_before": false, "non_linearity": "swish"])
  private static let parallel = sequential.with(["original_ln_before": false, "is_parallel": true, "reduction_factor": 2, "scaling": 4.0])
  private static let lora: JSON.Members = ["architecture": "lora", "r": 8, "alpha": 8, "attn_matrices": ["q", "v"]]

  /// The adapter that a workload calls `fresh/` and the method's name.
  static func adapter(_ name: String, shape: BaseShape, engine: Engine) throws -> (any AdapterMethod)? {
    guard let method = all.first(where: { "fresh/\($0.name)" == name }) else { return nil }
    let configuration = JSONObject(method.configuration(shape))
    let weights = ParameterSource(FreshParameters(seed: 1, engine: engine))
    return try AdapterMethods.type(for: configuration).init(configuration: configuration, shape: shape, weights: weights)
  }
}
