import Dovetail
import Foundation
import HubBundle
import HubForeign
import HubWords
import HubRegistry
import HubWeights

/// An adapter as a command line names it: one that is installed, or a bundle or foreign adapter in a file or folder.
enum Subject {
  case installed(InstalledAdapter)
  case parcel(Parcel)

  /// An installed adapter comes before a file of the same name, unless it is written like a path.
  init(_ text: String, in hub: @autoclosure () throws -> Hub) throws {
    if !["/", "./", "../"].contains(where: text.hasPrefix) {
      do {
        self = .installed(try hub().adapter(text))
        return
      } catch let failure as Failure where [.unknownAdapter, .malformedReference].contains(failure.code) {
        guard FileManager.default.fileExists(atPath: text) else { throw failure }
      }
    }
    self = .parcel(try Parcel.open(text))
  }

  var manifest: Manifest {
    switch self {
    case .installed(let adapter): adapter.manifest
    case .parcel(let parcel): parcel.bundle.manifest
    }
  }

  var digest: Digest {
    switch self {
    case .installed(let adapter): adapter.digest
    case .parcel(let parcel): parcel.bundle.digest
    }
  }

  /// Everything that a bundle consists of.
  ///
  /// - Throws: ``Failure`` also for a composition, which has nothing of its own.
  func content() throws -> AdapterContent {
    guard manifest.kind != .composition else {
      let members = manifest.composed.map(\.reference).joined(separator: ", ")
      throw Failure(
        .severalAdapters, "a composition consists of several adapters", at: manifest.name.text,
        hint: "name one of its members: \(members)")
    }
    switch self {
    case .installed(let adapter): return try adapter.content()
    case .parcel(let parcel): return AdapterContent(parcel.bundle)
    }
  }
}

extension Failure.Code {
  /// A composition stands where one adapter should.
  static let severalAdapters = Self("hub/several-adapters", .usage)
}
