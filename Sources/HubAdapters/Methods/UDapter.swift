public import HubManifest
public import HubTensor
public import HubTransformer

/// UDapter (Üstün et al. 2020): bottleneck adapters in both sublayers whose weights are generated from a vector `e` of the
/// language, `W = Σ e_i 𝒲_i`, biases too.
///
/// The languages have a table: either of the vectors themselves, which are trained, or of typological `features`
/// (URIEL's, Littell et al. 2017), from which two layers make the vector, `e = W₂ relu(W₁ t + b₁) + b₂`. One language
/// acts: the one that the configuration names, or that ``speaking(_:)`` chooses.
public struct UDapter: AdapterMethod {
  public static let architecture: String? = "udapter"

  private let configuration: BottleneckConfiguration
  private let languages: LanguageTable
  private let generators: [Site: BottleneckGenerator]
  private let blocks: [Site: BottleneckBlock]

  public init(configuration c: JSONObject, shape: BaseShape, weights: ParameterSource) throws {
    let own: Set = ["architecture", "languages", "language", "language_size", "features", "feature_projection"]
    try c.refuseUnknown(own.union(["reduction_factor", "non_linearity", "mh_adapter", "output_adapter", "leave_out"]))
    let usual: JSON.Members = ["reduction_factor": 3, "non_linearity": "gelu", "mh_adapter": true, "output_adapter": true]
    let block = try BottleneckConfiguration(c.completed(with: usual, without: own))
    let languages = try LanguageTable(c, from: weights["languages"])
    var generators: [Site: BottleneckGenerator] = [:]
    for site in block.sites(of: shape) {
      generators[site] = try BottleneckGenerator(
        languages.size, hidden: shape.hiddenSize, block.bottleneck(inLayer: site.layer, of: shape.hiddenSize),
        from: weights["layers"][site.layer][site.place.rawValue])
    }
    let language = try languages.index(of: c.string("language"), at: c.path(to: "language"))
    self.init(block, languages, generators, language: language)
  }

  private init(_ c: BottleneckConfiguration, _ languages: LanguageTable, _ generators: [Site: BottleneckGenerator], language: Int) {
    configuration = c
    self.languages = languages
    self.generators = generators
    blocks = generators.mapValues { generator in
      BottleneckBlock(c, down: generator.down.layer(languages, language), up: generator.up.layer(languages, language))
    }
  }

  /// The same adapter for another language of its table.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` if it has no such language.
  public func speaking(_ language: String) throws -> UDapter {
    UDapter(configuration, languages, generators, language: try languages.index(of: language, at: "language"))
  }

  public var sites: Set<Site> { Set(blocks.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { blocks[site] }
  public var parameters: [Parameter] { languages.parameters + generators.sorted { $0.key < $1.key }.flatMap(\.value.parameters) }
  public var frozenParameters: [Parameter] { languages.frozenParameters }
}

/// The languages that an adapter knows, and how each becomes a vector.
private struct LanguageTable: Sendable {
  let names: [String]
  /// The width of the vectors.
  let size: Int
  private let values: Parameter
  private let inner, outer: Linear?

  init(_ c: JSONObject, from weights: ParameterSource) throws {
    names = try c.strings("languages")
    guard (1...10_000).contains(names.count), Set(names).count == names.count else {
      throw Failure(.invalidConfiguration, "languages are between 1 and 10000, and none twice", at: c.path(to: "languages"))
    }
    size = try c.optionalSize("language_size") ?? 32
    let features = try c.optionalSize("features"), projection = try c.optionalSize("feature_projection")
    guard let features else {
      guard projection == nil else {
        throw Failure(.invalidConfiguration, "there are no features that could be projected", at: c.path(to: "feature_projection"), hint: "features says how many")
      }
      (inner, outer) = (nil, nil)
      values = try weights.parameter("values", [names.count, size], initially: .normal(deviation: 1))
      return
    }
    let width = projection ?? size
    inner = try Linear(from: weights["inner"], features, width)
    outer = try Linear(from: weights["outer"], width, size)
    values = try weights.parameter("values", [names.count, features])
  }

  func index(of language: String, at path: String) throws -> Int {
    guard let index = names.firstIndex(of: language) else {
      let known = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
      throw Failure(.invalidConfiguration, "the adapter does not know the language \(language.debugDescription)", at: path, hint: "it knows \(known)")
    }
    return index
  }

  /// `[1, size]`
  func vector(of language: Int, in cx: Context) -> Tensor {
    let row = cx.rows(cx.value(of: values), language..<language + 1)
    guard let inner, let outer else { return row }
    return outer(inner(row, then: .relu, in: cx), in: cx)
  }

  var parameters: [Parameter] { [values] + (inner?.parameters ?? []) + (outer?.parameters ?? []) }
  /// What is known of a language is not trained.
  var frozenParameters: [Parameter] { inner == nil ? [] : [values] }
}

/// What the two layers of one site are generated from.
private struct BottleneckGenerator: Sendable {
  let down, up: LinearGenerator

  init(_ size: Int, hidden: Int, _ bottleneck: Int, from weights: ParameterSource) throws {
    down = try LinearGenerator(size, hidden, bottleneck, from: weights["down"])
    up = try LinearGenerator(size, bottleneck, hidden, from: weights["up"])
  }

  var parameters: [Parameter] { down.parameters + up.parameters }
}

/// `size` weights `[out, in]` and biases `[out]`, of which a vector makes one each.
private struct LinearGenerator: Sendable {
  private let weight, bias: Parameter
  private let input, output: Int

  init(_ size: Int, _ input: Int, _ output: Int, from weights: ParameterSource) throws {
    weight = try weights.parameter("weight", [size, output, input], initially: .normal(deviation: 1e-4))
    bias = try weights.parameter("bias", [size, output])
    (self.input, self.output) = (input, output)
  }

  func layer(_ languages: LanguageTable, _ language: Int) -> DerivedLinear {
    DerivedLinear(
      from: parameters + languages.parameters,
      weight: { cx in
        let all = cx.reshaped(cx.value(of: weight), rows: languages.size, columns: output * input)
        return cx.reshaped(cx.product(languages.vector(of: language, in: cx), all), rows: output, columns: input)
      }, bias: { cx in cx.product(languages.vector(of: language, in: cx), cx.value(of: bias)) })
  }

  var parameters: [Parameter] { [weight, bias] }
}
