public import HubWords
public import HubTensor
public import HubModels
import HubTransformer

/// How a block makes one tensor of what its children made of the same rows.
public protocol Mixing: Sendable {
  /// - Parameters:
  ///   - parts: of the children that act at the site, at least one, what they made, `[rows, columns]`: adapters of
  ///     sublayers their outputs, those of linear layers what they add to the layer's output, those of layers what they
  ///     change
  /// - Returns: a tensor of the same shape
  func mixed(_ parts: [(child: Int, value: Tensor)], at site: Site, in context: Context) -> Tensor
}

/// A block that a program adds to the language of compositions:
///
/// ```swift
/// try MixingBlocks.register(Interpolation.self)
/// let setup = try Composition(parsing: "stack(en, interpolate(a, b, at=0.3))")
/// ```
public typealias MixingBlock = CompositionBlock & Mixing

/// The mixing blocks of this process.
public enum MixingBlocks {
  /// Makes a block known wherever compositions are read, checked and run in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public static func register(_ type: any MixingBlock.Type) throws { try CompositionBlocks.register(type) }
}

/// `Σ wᵢ xᵢ`
struct WeightedSum: Mixing {
  let weights: [Float]

  func mixed(_ parts: [(child: Int, value: Tensor)], at site: Site, in context: Context) -> Tensor {
    let shares = parts.map { context.scaled($0.value, by: weights[$0.child]) }
    return shares.dropFirst().reduce(shares[0]) { context.add($0, $1) }
  }
}
