import Synchronization

/// A weight that is computed from parameters, such as the mean of several. What it came to is kept, in the layout that
/// the kernels want, until one of the parameters changes.
public final class DerivedParameter: Sendable {
  private struct Kept {
    let versions: [Int]
    let parameter: Parameter
  }

  private let sources: [Parameter]
  private let compute: @Sendable (Context) -> Tensor
  private let kept = Mutex<Kept?>(nil)

  /// - Parameter compute: what the weight is; of `sources` and nothing else
  public init(from sources: [Parameter], _ compute: @escaping @Sendable (Context) -> Tensor) {
    self.sources = sources
    self.compute = compute
  }

  /// The weight as a tensor that gradients flow through.
  public func value(in context: Context) -> Tensor { compute(context) }

  /// The weight as a parameter; `nil` where the pass trains what it is computed from, and needs it as a tensor.
  public func settled(in context: Context) -> Parameter? {
    guard !sources.contains(where: context.trains) else { return nil }
    return kept.withLock { kept in
      let versions = sources.map(\.version)
      if let kept, kept.versions == versions { return kept.parameter }
      let parameter = Parameter(sources.first?.name ?? "", compute(context).unrecorded)
      kept = Kept(versions: versions, parameter: parameter)
      return parameter
    }
  }
}
