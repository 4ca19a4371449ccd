import Foundation
public import HubBundle

extension Parcel {
  /// A bundle that is made of parts that are at hand.
  public init(_ builder: BundleBuilder) throws {
    let scratch = try ScratchFolder(
      in: FileManager.default.temporaryDirectory.standardizedFileURL.path, prefix: "dovetail-")
    self.init(try builder.write(to: scratch.path + "/bundle", isDurable: false), in: scratch)
  }
}
