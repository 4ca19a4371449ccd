import HubModels
import HubTensor

/// Linear layers that are stored as one, `[in, out · n]`, and computed one by one, so that adapters find each at its
/// site.
struct JoinedLinears {
  let parts: [Site.Place: Linear]

  init(from weights: ParameterSource, _ joined: LayerModules.JoinedModules, _ form: TransformerLayer.Form) throws {
    let widths = joined.places.map { form.widths(at: $0).output }, input = form.widths(at: joined.places[0]).input
    let weight = try weights.parameter("weight", [input, widths.reduce(0, +)], initially: .normal(deviation: 0.02))
    let bias = try weights.parameter("bias", [widths.reduce(0, +)])
    var parts: [Site.Place: Linear] = [:], first = 0
    for (place, width) in zip(joined.places, widths) {
      parts[place] = Linear(
        weight: weight.transposed(columns: first..<first + width, name: place.rawValue),
        bias: bias.columns(first..<first + width, name: place.rawValue))
      first += width
    }
    self.parts = parts
  }
}

extension Linear {
  /// A layer that is stored as `[in, out]`.
  init(transposed weights: ParameterSource, _ input: Int, _ output: Int) throws {
    let weight = try weights.parameter("weight", [input, output], initially: .normal(deviation: 0.02))
    self.init(weight: weight.transposed(columns: 0..<output), bias: try weights.parameter("bias", [output]))
  }
}
