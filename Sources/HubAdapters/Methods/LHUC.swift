public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Learning hidden unit contributions (Swietojanski and Renals 2014): after each layer, column `i` of the hidden states
/// is multiplied by `2σ(rᵢ)`, which is 1 at first and stays between 0 and 2.
public struct LHUC: AdapterMethod {
  public static let architecture: String? = "lhuc"

  private let units: [Int: LHUCUnit]

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    try c.refuseUnknown(["architecture", "leave_out"])
    units = try Dictionary(
      uniqueKeysWithValues: c.adaptedLayers(of: shape).map {
        (
          $0,
          LHUCUnit(
            amplitudes: try weights["layers"][$0][Site.Place.layer.rawValue].parameter("amplitudes", [shape.hiddenSize])
          )
        )
      })
  }

  public var looksAtWholeTexts: Bool { false }
  public var sites: Set<Site> { Set(units.keys.map { Site($0, .layer) }) }
  public func layerAdapter(at index: Int) -> (any LayerAdapter)? { units[index] }
  public var parameters: [Parameter] { units.sorted { $0.key < $1.key }.map(\.value.amplitudes) }
}

private struct LHUCUnit: LayerAdapter {
  let amplitudes: Parameter

  func callAsFunction(
    _ output: Tensor, of input: Tensor, _ sequences: Sequences, keeping kept: inout [Int: Tensor], in context: Context
  ) -> Tensor {
    context.multiply(
      output, columnsBy: context.scaled(context.activate(context.value(of: amplitudes), .sigmoid), by: 2))
  }
}
