public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// UDapter (Üstün et al. 2020): bottleneck adapters in both sublayers whose weights are generated from a vector `e` of
/// the language, `W = Σ e_i 𝒲_i`, biases too.
///
/// The languages have a table: either of the vectors themselves, which are trained, or of typological `features`
/// (URIEL's, Littell et al. 2017), from which two layers make the vector, `e = W₂ relu(W₁ t + b₁) + b₂`. One language
/// acts: the one that the configuration names, or that `speaking` chooses.
public struct UDapter: AdapterMethod {
  public static let architecture: String? = "udapter"

  /// The options that an ordinary bottleneck has.
  private let options: JSONObject
  private let configuration: BottleneckConfiguration
  private let languages: LanguageTable
  private let generators: [Site: BottleneckGenerator]
  private let blocks: [Site: BottleneckBlock]

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let own = LanguageTable.keys.union(["architecture"])
    try c.refuseUnknown(own.union(["reduction_factor", "non_linearity", "mh_adapter", "output_adapter", "leave_out"]))
    let usual: JSON.Members = [
      "reduction_factor": 3, "non_linearity": "gelu", "mh_adapter": true, "output_adapter": true,
    ]
    let options = c.completed(with: usual, without: own), block = try BottleneckConfiguration(options)
    let languages = try LanguageTable(c, from: weights["languages"])
    var generators: [Site: BottleneckGenerator] = [:]
    for site in block.sites(of: shape) {
      generators[site] = try BottleneckGenerator(
        languages.size, hidden: shape.hiddenSize, block.bottleneck(inLayer: site.layer, of: shape.hiddenSize),
        from: weights["layers"][site.layer][site.place.rawValue])
    }
    self.init(options, block, languages, generators)
  }

  private init(
    _ options: JSONObject, _ c: BottleneckConfiguration, _ languages: LanguageTable,
    _ generators: [Site: BottleneckGenerator]
  ) {
    self.options = options
    configuration = c
    self.languages = languages
    self.generators = generators
    blocks = generators.mapValues { BottleneckBlock(c, down: $0.down.layer(languages), up: $0.up.layer(languages)) }
  }

  /// The same adapter for another language of its table.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` if it has no such language.
  public func speaking(_ language: String) throws -> UDapter {
    UDapter(options, configuration, try languages.speaking(language), generators)
  }

  /// The same adapter for a language that it was not trained for.
  ///
  /// - Parameter values: what the language's row of the table would hold: its vector, or its typological features
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` if these are not as many as a row has.
  public func speaking(_ values: [Float]) throws -> UDapter {
    UDapter(options, configuration, try languages.speaking(values), generators)
  }

  /// The adapter of its language by itself.
  public func generated(engine: Engine) throws -> WrittenOutBottleneck {
    try WrittenOutBottleneck(options, blocks, engine: engine)
  }

  public var looksAtWholeTexts: Bool { hasGates }
  public var sites: Set<Site> { Set(blocks.keys) }
  public func sublayerAdapter(at site: Site) -> (any SublayerAdapter)? { blocks[site] }
  public var parameters: [Parameter] {
    languages.parameters + generators.sorted { $0.key < $1.key }.flatMap(\.value.parameters)
  }
  public var frozenParameters: [Parameter] { languages.frozenParameters }
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
