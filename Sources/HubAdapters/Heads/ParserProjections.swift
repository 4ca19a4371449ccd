import HubManifest
import HubTensor
import HubTransformer

/// What UDapter's parser (Üstün et al. 2020) makes of words before it compares them: `elu(W x + b)`, one layer each for
/// words as dependents and as heads of arcs and of relations, whose weights are generated from the language's vector.
struct ParserProjections: Sendable {
  /// The layers for the two sides of what is compared.
  typealias Pair = (dependent: DerivedLinear, head: DerivedLinear)

  let arcSize, relationSize: Int
  let arcs, relations: Pair
  let parameters, frozenParameters: [Parameter]

  init(_ c: JSONObject, hidden: Int, from weights: ParameterSource) throws {
    let languages = try LanguageTable(c, from: weights["languages"])
    let language = try languages.index(of: c.string("language"), at: c.path(to: "language"))
    arcSize = try c.optionalSize("arc_size") ?? 768
    relationSize = try c.optionalSize("relation_size") ?? 256
    var generators: [LinearGenerator] = []
    func pair(_ name: String, _ size: Int) throws -> Pair {
      let dependent = try LinearGenerator(languages.size, hidden, size, from: weights[name]["dependent"])
      let head = try LinearGenerator(languages.size, hidden, size, from: weights[name]["head"])
      generators += [dependent, head]
      return (dependent.layer(languages, language), head.layer(languages, language))
    }
    arcs = try pair("arcs", arcSize)
    relations = try pair("relations", relationSize)
    parameters = languages.parameters + generators.flatMap(\.parameters)
    frozenParameters = languages.frozenParameters
  }
}
