import HubWords
import HubTensor
import HubTransformer

/// What UDapter's parser (Üstün et al. 2020) makes of words before it compares them: `elu(W x + b)`, one layer each for
/// words as dependents and as heads of arcs and of relations, whose weights are generated from the language's vector.
struct ParserProjections: Sendable {
  /// The layers for the two sides of what is compared.
  typealias Pair = (dependent: DerivedLinear, head: DerivedLinear)

  let arcs, relations: Pair
  private let languages: LanguageTable
  private let arcGenerators, relationGenerators: Generators

  private struct Generators: Sendable {
    let dependent, head: LinearGenerator

    init(_ languages: LanguageTable, _ hidden: Int, _ size: Int, from weights: ParameterSource) throws {
      dependent = try LinearGenerator(languages.size, hidden, size, from: weights["dependent"])
      head = try LinearGenerator(languages.size, hidden, size, from: weights["head"])
    }

    func layers(_ languages: LanguageTable) -> Pair { (dependent.layer(languages), head.layer(languages)) }
    var parameters: [Parameter] { dependent.parameters + head.parameters }
  }

  init(_ c: JSONObject, hidden: Int, arcSize: Int, relationSize: Int, from weights: ParameterSource) throws {
    let languages = try LanguageTable(c, from: weights["languages"])
    self.init(
      languages, try Generators(languages, hidden, arcSize, from: weights["arcs"]),
      try Generators(languages, hidden, relationSize, from: weights["relations"]))
  }

  private init(_ languages: LanguageTable, _ arcs: Generators, _ relations: Generators) {
    self.languages = languages
    (arcGenerators, relationGenerators) = (arcs, relations)
    (self.arcs, self.relations) = (arcs.layers(languages), relations.layers(languages))
  }

  func speaking(_ language: String) throws -> ParserProjections {
    ParserProjections(try languages.speaking(language), arcGenerators, relationGenerators)
  }

  func speaking(_ values: [Float]) throws -> ParserProjections {
    ParserProjections(try languages.speaking(values), arcGenerators, relationGenerators)
  }

  var parameters: [Parameter] { languages.parameters + arcGenerators.parameters + relationGenerators.parameters }
  var frozenParameters: [Parameter] { languages.frozenParameters }
}
