public import HubWords

/// The models that requests ask for by their setups, each composed once: for programs that answer many. While one is
/// being composed, others can be used and composed.
public final class ComposedModels: Sendable {
  /// The base model that all of them are composed on.
  public let base: Base
  private let hub: Hub
  private let head: String?
  private let allowingOtherWeights: Bool
  private let composed = OncePerKey<String?, Result<ComposedModel, Failure>>()

  /// - Parameters:
  ///   - head: the adapter whose head answers; otherwise each setup's own
  ///   - allowingOtherWeights: accepts adapters that were trained on other weights of the same architecture
  public init(_ hub: Hub, on base: Base, head: String? = nil, allowingOtherWeights: Bool = false) {
    (self.hub, self.base, self.head, self.allowingOtherWeights) = (hub, base, head, allowingOtherWeights)
  }

  /// The model of a setup, or what is wrong with the setup. Failures are remembered, too.
  ///
  /// - Parameter setup: the text of a composition; `nil` is the base model alone
  public func model(_ setup: String?) -> Result<ComposedModel, Failure> {
    composed.value(of: setup) {
      Result { () throws(Failure) in
        do {
          let composition = try setup.map { try Composition(parsing: $0) }
          return try hub.compose(composition, on: base, head: head, allowingOtherWeights: allowingOtherWeights)
        } catch {
          throw error as? Failure ?? Failure(.unexpectedError, "\(error)")
        }
      }
    }
  }
}

extension Failure.Code {
  /// An error that none of our modules throws.
  public static let unexpectedError = Self("hub/unexpected", .inputOutput)
}
