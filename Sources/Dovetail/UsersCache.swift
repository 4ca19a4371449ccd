import Foundation
import HubTransformer

extension PackedCache {
  /// The folder `packed` in `HUB_CACHE`, or in `dovetail` in the user's cache folder; `nil` if it cannot be made, or if
  /// others may write to it.
  static func users(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> PackedCache? {
    let absolute = { (path: String?) in path.flatMap { $0.hasPrefix("/") ? $0 : nil } }
    let home = absolute(environment["HOME"]).map { $0 + "/.cache" }
    guard
      let place = absolute(environment["HUB_CACHE"])
        ?? (absolute(environment["XDG_CACHE_HOME"]) ?? home).map({ $0 + "/dovetail" })
    else { return nil }
    let folder = place + "/packed", files = FileManager.default
    do {
      try files.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let attributes = try files.attributesOfItem(atPath: folder)
      let owner = attributes[.ownerAccountID] as? UInt, mode = attributes[.posixPermissions] as? Int ?? 0o777
      return owner == UInt(getuid()) && mode & 0o022 == 0 ? PackedCache(folder: folder) : nil
    } catch {
      return nil
    }
  }
}
