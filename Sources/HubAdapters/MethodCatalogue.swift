public import HubWords
public import HubTensor
public import HubModels
import HubTransformer

/// A method of the field as its authors or the libraries configure it, for tables, measurements and new adapters.
public struct CataloguedMethod: Sendable {
  /// What the field calls it.
  public let name: String
  /// Authors and year.
  public let paper: String
  /// What it computes.
  public let equation: String
  /// Whether it can be trained here. Otherwise adapters of it come from other libraries, with matrices that are written
  /// out: training these would not keep them orthogonal, or a product.
  public let isTrainable: Bool
  private let configure: @Sendable (ModelShape) -> JSON.Members

  init(
    name: String, paper: String, equation: String, isTrainable: Bool = true,
    configure: @escaping @Sendable (ModelShape) -> JSON.Members
  ) {
    (self.name, self.paper, self.equation, self.isTrainable) = (name, paper, equation, isTrainable)
    self.configure = configure
  }

  /// The configuration for a base model.
  public func configuration(for shape: ModelShape) -> JSON.Members { configure(shape) }

  /// A fresh adapter.
  ///
  /// - Throws: ``Failure`` if the sizes of the base do not allow the usual configuration.
  public func adapter(for shape: ModelShape, engine: Engine, seed: UInt64 = 1) throws -> any AdapterMethod {
    try adapter(for: shape, from: ParameterSource(FreshParameters(seed: seed, engine: engine)))
  }

  /// The number of its parameters, the frozen ones among them, and the blocks that it may stand in.
  public func summary(for shape: ModelShape) throws -> (parameters: Int, blocks: [String]) {
    let schema = SchemaParameters(), adapter = try adapter(for: shape, from: ParameterSource(schema))
    return (schema.parameterCount, adapter.blocks)
  }

  private func adapter(for shape: ModelShape, from weights: ParameterSource) throws -> any AdapterMethod {
    let configuration = JSONObject(configure(shape))
    return try AdapterMethods.type(for: configuration).init(
      configuration: configuration, shape: shape, weights: weights)
  }
}

extension AdapterMethod {
  /// The blocks of a composition that adapters like this one can stand in, by their names in its text.
  public var blocks: [String] {
    let places = Set(sites.map(\.place))
    if promptAdapter != nil || sites.contains(where: { layerAdapter(at: $0.layer)?.composes == false }) {
      return ["first of a setup"]
    }
    var blocks = ["stack"]
    if places.allSatisfy(\.isSublayer) { blocks += ["fuse", "split"] }
    blocks += ["batch_split", "parallel", "multi_task"]
    return places.contains(.prefix) ? blocks : blocks + ["average"]
  }
}

/// One line for each method.
public enum MethodCatalogue {
  /// The methods in the order of `Formats/methods.md`.
  public static let all: [CataloguedMethod] = [
    method("seq_bn", "Pfeiffer et al. 2020", "h + U f(D LN(h + r))", sequential),
    method("double_seq_bn", "Houlsby et al. 2019", "h + U f(D h), twice a layer", double),
    method("par_bn", "He et al. 2022", "h + s·U f(D x)", parallel),
    method("scaled_par_bn", "He et al. 2022", "h + s·U f(D x), s learned", parallel.with(["scaling": "learned"])),
    method(
      "seq_bn_inv", "Pfeiffer et al. 2020 (MAD-X)", "seq_bn, and NICE after the embeddings",
      sequential.with(["reduction_factor": 2, "inv_adapter": "nice", "inv_adapter_reduction_factor": 2])),
    method(
      "bapna_firat", "Bapna and Firat 2019", "h + U relu(D LN(h))",
      sequential.with([
        "original_ln_before": true, "original_ln_after": false, "residual_before_ln": false, "ln_before": true,
      ])),
    method(
      "compacter", "Karimi Mahabadi et al. 2021", "double_seq_bn, D and U = Σ Aᵢ ⊗ (sᵢ tᵢᵀ)", hypercomplex(double)),
    method("compacter++", "Karimi Mahabadi et al. 2021", "seq_bn, D and U = Σ Aᵢ ⊗ (sᵢ tᵢᵀ)", hypercomplex(sequential)),
    method("lora", "Hu et al. 2022", "W x + b + α/r·B A x", lora),
    method("dora", "Liu et al. 2024", "m/‖W + B A‖ ⊙ (W x + b + α/r·B A x)", lora.with(["use_dora": true])),
    method(
      "vera", "Kopiczko et al. 2024", "W x + b + α/r·(b B)(d A) x, B and A frozen",
      lora.with(["vera_d": 0.1, "vera_b": 0.0, "init_weights": "vera"])),
    method(
      "ia3", "Liu et al. 2022", "l ⊙ (W x + b)",
      lora.with([
        "r": 1, "alpha": 1, "attn_matrices": ["k", "v"], "intermediate_lora": true, "composition_mode": "scale",
        "init_weights": "ia3",
      ])),
    imported("lokr", "Yeh et al. 2024", "W x + b + α/r·(A ⊗ B) x", form: "matrix"),
    imported("oft", "Qiu et al. 2023", "W R x + b, R rotates blocks of columns", form: "rotation"),
    imported("boft", "Liu et al. 2024", "s ⊙ W R x + b, R a product of such rotations", form: "scaled_rotation"),
    method("mtl_lora", "Yang et al. 2024", "W x + b + α/r·Σ wₖ Bₖ Λ A x", lora.with(["architecture": "mtl_lora"])),
    method(
      "prefix_tuning", "Li and Liang 2021", "attention over [P; K] and [P′; V]", ["architecture": "prefix_tuning"]),
    method("prompt_tuning", "Lester et al. 2021", "[P; x]", ["architecture": "prompt_tuning"]),
    method(
      "loreft", "Wu et al. 2024", "h + Rᵀ(W h + b − R h), R orthogonal",
      ["architecture": "reft", "orthogonality": true]),
    method("noreft", "Wu et al. 2024", "h + Rᵀ(W h + b − R h)", ["architecture": "reft", "orthogonality": false]),
    method(
      "direft", "Wu et al. 2024", "h + Rᵀ(W h + b)",
      ["architecture": "reft", "orthogonality": false, "subtract_projection": false]),
    method(
      "mam", "He et al. 2022", "prefix_tuning and par_bn",
      [
        "architecture": "union",
        "configs": [.object(["architecture": "prefix_tuning", "bottleneck_size": 800]), .object(parallel)],
      ]),
    method(
      "unipelt", "Mao et al. 2022", "lora, prefix_tuning and seq_bn, each with a gate",
      [
        "architecture": "union",
        "configs": [
          .object(lora.with(["use_gating": true])),
          ["architecture": "prefix_tuning", "prefix_length": 10, "use_gating": true],
          .object(sequential.with(["use_gating": true])),
        ],
      ]),
    method("lhuc", "Swietojanski and Renals 2014", "2σ(r) ⊙ h after each layer", ["architecture": "lhuc"]),
    method("pal", "Stickland and Murray 2019", "LN(h + SA(h) + U attention(D h))", ["architecture": "pal"]),
    method(
      "low_rank_pal", "Stickland and Murray 2019", "LN(h + SA(h) + U f(D h))",
      ["architecture": "pal", "attention": false]),
    CataloguedMethod(
      name: "k_adapter", paper: "Wang et al. 2021", equation: "W[h; oₙ], oᵢ = xᵢ + U T(D xᵢ), xᵢ = hᵢ + oᵢ₋₁"
    ) {
      ["architecture": "k_adapter", "adapter_list": [0, .integer($0.layers / 2), .integer($0.layers)]]
    },
    method("adamix", "Wang et al. 2022", "h + Ū f(D̄ h), means of several", ["architecture": "adamix"]),
    method(
      "adamix_ensemble", "Wang et al. 2022", "mean of h + Uᵢ f(Dᵢ h)",
      ["architecture": "adamix", "inference": "ensemble"]),
    method(
      "udapter", "Üstün et al. 2020", "h + U(l) f(D(l) h), weights generated from a language's embedding l",
      ["architecture": "udapter", "languages": ["de"], "language": "de", "language_size": 32]),
  ]

  private static func method(
    _ name: String, _ paper: String, _ equation: String, _ configuration: JSON.Members
  ) -> CataloguedMethod {
    CataloguedMethod(name: name, paper: paper, equation: equation) { _ in configuration }
  }

  /// A method of PEFT whose adapters of queries and values are read with their matrices written out.
  private static func imported(_ name: String, _ paper: String, _ equation: String, form: String) -> CataloguedMethod {
    CataloguedMethod(name: name, paper: paper, equation: equation, isTrainable: false) { shape in
      let sites = (0..<shape.layers).flatMap { [Site($0, .query), Site($0, .value)] }
      let targets = sites.filter(shape.has).reduce(into: JSON.Members()) {
        $0["\($1.layer).\($1.place.rawValue)"] = .object(["form": .string(form)])
      }
      return ["architecture": "lora", "targets": .object(targets)]
    }
  }

  private static let sequential: JSON.Members = [
    "mh_adapter": false, "output_adapter": true, "original_ln_before": true, "original_ln_after": true,
    "non_linearity": "relu", "reduction_factor": 16,
  ]
  private static let double = sequential.with([
    "mh_adapter": true, "original_ln_before": false, "non_linearity": "swish",
  ])
  private static let parallel = sequential.with([
    "original_ln_before": false, "is_parallel": true, "reduction_factor": 2, "scaling": 4.0,
    "init_weights": "mam_adapter",
  ])
  private static let lora: JSON.Members = ["architecture": "lora", "r": 8, "alpha": 8, "attn_matrices": ["q", "v"]]
  private static func hypercomplex(_ bottleneck: JSON.Members) -> JSON.Members {
    bottleneck.with(["phm_layer": true, "reduction_factor": 32, "non_linearity": "gelu"])
  }
}
