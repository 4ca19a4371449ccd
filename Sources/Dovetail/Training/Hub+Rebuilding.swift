import HubRegistry
import HubTensor
public import HubWords

extension Failure.Code {
  /// An adapter does not say how it was trained.
  public static let unknownOrigin = Self("rebuild/origin", .usage)
}

extension Hub {
  /// The recipe that an installed adapter remembers.
  ///
  /// - Parameter folder: where the recipe's files are
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownOrigin`` if it was not trained by Dovetail.
  public func recordedRecipe(
    of reference: String, in folder: String
  ) throws -> (recipe: Recipe, kernels: String, digest: Digest) {
    let adapter = try adapter(reference), source = adapter.manifest.source
    guard source?["format"] == "training", let members = source?["recipe"]?.object else {
      throw Failure(.unknownOrigin, "the adapter does not say how it was trained", at: adapter.reference)
    }
    return (
      try Recipe(recorded: members, folder: folder), source?["kernels"]?.string ?? "", adapter.digest
    )
  }
}
