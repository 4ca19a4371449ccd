import Foundation
import HubArchive
import HubWords

import Glibc

/// A folder for one piece of work, removed at its end. As long as its owner lives it is locked, so that others can tell
/// it from what a dead process left behind.
final class ScratchFolder: Sendable {
  let path: String
  private let lock: KernelLock

  /// Makes a folder below `parent`.
  init(in parent: String, prefix: String = "") throws {
    while true {
      let path = "\(parent)/\(prefix)\(String(UInt64.random(in: 0 ... .max), radix: 36))"
      guard mkdir(path, 0o700) == 0 else { throw Failure.system(.unwritableFile, "create a folder", at: path) }
      // Before the lock is taken somebody may think the folder dead, and remove it.
      guard let folder = try Self.opened(path), let lock = try KernelLock.attempt(folder),
        FileStatus(path)?.isFolder == true
      else { continue }
      (self.path, self.lock) = (path, lock)
      return
    }
  }

  /// The folder; `nil` if it is gone.
  private static func opened(_ path: String) throws -> OpenFile? {
    do {
      return try OpenFile(folder: path)
    } catch  where FileStatus(path) == nil {
      return nil
    }
  }

  deinit { lock.hold { try? FileManager.default.removeItem(atPath: path) } }

  /// What the dead left below `parent`, without removing it.
  static func leftovers(in parent: String) -> [String] {
    children(of: parent).filter { path in lockOfDead(path) != nil || isStray(path) }
  }

  /// Removes what dead processes left.
  static func removeLeftovers(in parent: String) {
    for path in children(of: parent) {
      if let lock = lockOfDead(path) {
        lock.hold { try? FileManager.default.removeItem(atPath: path) }
      } else if isStray(path) {
        try? FileManager.default.removeItem(atPath: path)
      }
    }
  }

  private static func children(of parent: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).sorted().map { "\(parent)/\($0)" }
  }

  /// The lock of a folder whose process is gone; `nil` if it lives.
  private static func lockOfDead(_ path: String) -> KernelLock? {
    guard let folder = try? OpenFile(folder: path) else { return nil }
    return (try? KernelLock.attempt(folder)) ?? nil
  }

  private static func isStray(_ path: String) -> Bool { FileStatus(path)?.isFolder == false }
}
