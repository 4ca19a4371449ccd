import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer

/// SSF, scaling and shifting of features (Lian et al. 2022): after each linear layer `y ↦ γ ⊙ y + β`, at first the
/// identity.
struct ScaleAndShift: AdapterMethod {
  static let architecture: String? = "ssf"

  private let units: [Site: Unit]

  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    if let other = configuration.members.entries.first(where: { $0.key != "architecture" }) {
      throw Failure(.unsupportedAdapter, "the option is unknown", at: configuration.path(to: other.key))
    }
    var units: [Site: Unit] = [:]
    for layer in 0..<shape.layers {
      for place in Site.Place.allCases where place.isLinear {
        let width = place == .intermediate ? shape.intermediateSize : shape.hiddenSize
        units[Site(layer, place)] = try Unit(width, from: weights["layers"][layer][place.rawValue])
      }
    }
    self.units = units
  }

  var sites: Set<Site> { Set(units.keys) }
  var parameters: [Parameter] { units.sorted { $0.key < $1.key }.flatMap { [$0.value.scale, $0.value.shift] } }
  func projectionAdapter(at site: Site) -> (any ProjectionAdapter)? { units[site] }

  /// The adapter of one linear layer. What it adds to the layer's output is `(γ − 1) ⊙ y + β`.
  private struct Unit: ProjectionAdapter {
    let canFollow = true
    let scale, shift: Parameter

    init(_ width: Int, from weights: ParameterSource) throws {
      scale = try weights.parameter("scale", [width], initially: .ones)
      shift = try weights.parameter("shift", [width])
    }

    func applied(to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
      moved(projection.applied(in: context), in: context)
    }

    /// Behind another adapter, `y` is the layer's output together with what that one adds.
    func contribution(_ h: Tensor?, to projection: Projection, _ gating: Gating, in context: Context) -> Tensor {
      let output = projection.applied(in: context)
      return context.add(
        moved(h.map { context.add(output, $0) } ?? output, in: context), context.scaled(output, by: -1))
    }

    func joined(_ contribution: Tensor, with output: Tensor, of projection: Projection, in context: Context) -> Tensor {
      context.add(output, contribution)
    }

    private func moved(_ y: Tensor, in context: Context) -> Tensor {
      context.add(
        context.multiply(y, by: scale), context.rows(context.value(of: shift), Array(repeating: 0, count: y.rows)))
    }
  }
}
