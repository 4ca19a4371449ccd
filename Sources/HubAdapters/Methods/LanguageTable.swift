import HubWords
import HubTensor
import HubTransformer

/// The languages that an adapter knows, the one that it speaks, and how that becomes a vector.
struct LanguageTable: Sendable {
  /// The keys of a configuration that it reads.
  static let keys: Set = ["languages", "language", "language_size", "features", "feature_projection"]

  private enum Language {
    case row(Int)
    /// One that is not in the table: what its row would hold.
    case values([Float])
  }

  private let names: [String]
  /// The width of the vectors.
  let size: Int
  private let values: Parameter
  private let inner, outer: Linear?
  private var language: Language

  init(_ c: JSONObject, from weights: ParameterSource) throws {
    names = try c.strings("languages")
    guard (1...10_000).contains(names.count), Set(names).count == names.count else {
      throw Failure(
        .invalidConfiguration, "expected between 1 and 10000 languages, each listed once", at: c.path(to: "languages"))
    }
    language = .row(try Self.index(of: c.string("language"), in: names, at: c.path(to: "language")))
    size = try c.optionalSize("language_size") ?? 32
    let features = try c.optionalSize("features"), projection = try c.optionalSize("feature_projection")
    guard let features else {
      guard projection == nil else {
        throw Failure(
          .invalidConfiguration, "there are no features to project", at: c.path(to: "feature_projection"),
          hint: "set features to their number")
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

  private static func index(of language: String, in names: [String], at path: String) throws -> Int {
    guard let index = names.firstIndex(of: language) else {
      let known = names.prefix(20).joined(separator: ", ") + (names.count > 20 ? " and \(names.count - 20) more" : "")
      throw Failure(
        .invalidConfiguration, "the adapter does not know the language \(language.debugDescription)", at: path,
        hint: "it knows \(known)")
    }
    return index
  }

  func speaking(_ language: String) throws -> LanguageTable {
    var copy = self
    copy.language = .row(try Self.index(of: language, in: names, at: "language"))
    return copy
  }

  func speaking(_ values: [Float]) throws -> LanguageTable {
    guard values.count == self.values.columns, values.allSatisfy(\.isFinite) else {
      throw Failure(
        .invalidConfiguration,
        "a language is described by \(self.values.columns) finite numbers here, not \(values.count)",
        at: "language")
    }
    var copy = self
    copy.language = .values(values)
    return copy
  }

  /// That of the language that is spoken, `[1, size]`.
  func vector(in context: Context) -> Tensor {
    let row =
      switch language {
      case .row(let index): context.rows(context.value(of: values), index..<index + 1)
      case .values(let values): context.tensor(rows: 1, columns: values.count, values)
      }
    guard let inner, let outer else { return row }
    return outer(inner(row, then: .relu, in: context), in: context)
  }

  var parameters: [Parameter] { [values] + (inner?.parameters ?? []) + (outer?.parameters ?? []) }
  /// What is known of a language is not trained.
  var frozenParameters: [Parameter] { inner == nil ? [] : [values] }
}

/// `size` weights `[out, in]` and biases `[out]`, of which a vector makes one each.
struct LinearGenerator: Sendable {
  private let weight, bias: Parameter
  private let input, output: Int

  init(_ size: Int, _ input: Int, _ output: Int, from weights: ParameterSource) throws {
    weight = try weights.parameter("weight", [size, output, input], initially: .normal(deviation: 1e-4))
    bias = try weights.parameter("bias", [size, output])
    (self.input, self.output) = (input, output)
  }

  func layer(_ languages: LanguageTable) -> DerivedLinear {
    DerivedLinear(
      from: parameters + languages.parameters,
      weight: { context in
        let all = context.reshaped(context.value(of: weight), rows: languages.size, columns: output * input)
        return context.reshaped(context.product(languages.vector(in: context), all), rows: output, columns: input)
      }, bias: { context in context.product(languages.vector(in: context), context.value(of: bias)) })
  }

  var parameters: [Parameter] { [weight, bias] }
}
