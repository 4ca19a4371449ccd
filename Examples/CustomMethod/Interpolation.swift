import HubAdapters
import HubWords
import HubTensor
import HubModels
import HubTransformer

/// `interpolate(a, b, at=0.25)`: `(1 − t)·a + t·b`.
struct Interpolation: MixingBlock {
  static let name = "interpolate"
  static let options: Set<String> = ["at"]

  private let share: Float

  init(options: [String: [String]], children: Int) throws {
    guard children == 2 else { throw Failure(.malformedComposition, "there are two ends to interpolate between") }
    guard let share = Float(options["at"]?.first ?? "0.5"), (0...1).contains(share) else {
      throw Failure(.malformedComposition, "a share is between 0 and 1", at: "at")
    }
    self.share = share
  }

  func mixed(_ parts: [(child: Int, value: Tensor)], at site: Site, in context: Context) -> Tensor {
    let shares = parts.map { context.scaled($0.value, by: $0.child == 0 ? 1 - share : share) }
    return shares.dropFirst().reduce(shares[0]) { context.add($0, $1) }
  }
}
