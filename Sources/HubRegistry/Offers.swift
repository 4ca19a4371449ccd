import Foundation
import HubArchive
public import HubBundle
public import HubWords

/// An adapter in a file or folder, which may be installed.
public struct Offer: Sendable {
  /// The file or folder.
  public let path: String
  /// What it says about itself.
  public let manifest: Manifest
  /// The digest of the manifest.
  public let digest: Digest

  /// - Throws: ``Failure``: there is no adapter, or something is wrong with it. What a packed bundle says about itself
  ///   is not compared with its files before it is installed.
  init(_ path: String) throws {
    self.path = path
    if FileStatus(path, followsLinks: true)?.isFolder != true, try Parcel.isPackedBundle(path) {
      (manifest, digest, _) = try Bundle.describe(file: path)
    } else {
      let bundle = try Parcel.open(path).bundle
      (manifest, digest) = (bundle.manifest, bundle.digest)
    }
  }
}

/// What files and folders offer.
public struct Offers: Sendable {
  /// The adapters that were found.
  public private(set) var offers: [Offer] = []
  /// Files in folders that are not adapters, and why.
  public private(set) var skipped: [Failure] = []

  /// - Parameter paths: adapters, and folders of adapters
  /// - Throws: ``Failure`` for a path that is neither.
  public init(in paths: [String]) throws {
    for path in paths {
      if FileStatus(path, followsLinks: true)?.isFolder == true, !Parcel.holdsAdapter(path) {
        try addContents(of: path)
      } else {
        offers.append(try Offer(path))
      }
    }
  }

  private mutating func addContents(of folder: String) throws {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw Failure(.nothingToInstall, "the folder cannot be listed", at: folder)
    }
    for name in names.sorted() where !name.hasPrefix(".") {
      do {
        offers.append(try Offer("\(folder)/\(name)"))
      } catch let failure as Failure {
        skipped.append(failure)
      }
    }
  }

  /// The offer with exactly this content.
  public func offer(_ digest: Digest) -> Offer? { offers.first { $0.digest == digest } }
}

/// An installed adapter of which a higher version is offered.
public struct Upgrade: Sendable {
  /// The adapter that is installed.
  public let installed: InstalledAdapter
  /// The highest version that is offered.
  public let offer: Offer
}

extension Registry {
  /// For each installed name, the highest version that is offered, if it is higher than all installed ones: under the
  /// author's name, for the same base, of the same kind. A pre-release is offered only to who has one.
  public func upgrades(from offers: Offers) throws -> [Upgrade] {
    var seen: Set<AdapterName> = []
    return try list().filter { seen.insert($0.name).inserted }.compactMap { installed in
      let own = installed.manifest
      let higher = offers.offers.filter { offer in
        let manifest = offer.manifest
        return manifest.name == own.name && manifest.kind == own.kind && manifest.version > own.version
          && manifest.base.architecture == own.base.architecture && manifest.base.hiddenSize == own.base.hiddenSize
          && (manifest.version.prerelease.isEmpty || !own.version.prerelease.isEmpty)
      }
      return higher.max { $0.manifest.version < $1.manifest.version }.map { Upgrade(installed: installed, offer: $0) }
    }
  }
}
