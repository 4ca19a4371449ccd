import HubManifest
import HubTensor
import HubTransformer

/// The languages that an adapter knows, and how each becomes a vector.
struct LanguageTable: Sendable {
  /// The keys of a configuration that it reads.
  static let keys: Set = ["languages", "language", "language_size", "features", "feature_projection"]

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
        throw Failure(
          .invalidConfiguration, "there are no features that could be projected", at: c.path(to: "feature_projection"), hint: "features says how many")
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

/// `size` weights `[out, in]` and biases `[out]`, of which a vector makes one each.
struct LinearGenerator: Sendable {
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
