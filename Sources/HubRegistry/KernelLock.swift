import Foundation
import HubArchive
public import HubWords

import Glibc

extension Failure.Code {
  /// Another process has been writing to the registry for too long.
  public static let busyRegistry = Self("registry/busy", .busy)
}

extension OpenFile {
  /// Opens a file that exists to be locked, and makes it if need be.
  convenience init(locking path: String) throws {
    if FileStatus(path) == nil {
      do {
        _ = try OpenFile(creating: path, mode: 0o600)
      } catch  where FileStatus(path) != nil {
        // Another process was faster.
      }
    }
    try self.init(reading: path, followsLinks: false)
  }
}

/// A lock on an open file or folder that the kernel takes back when the process ends, however it ends.
struct KernelLock: Sendable {
  /// Closing it ends the lock.
  private let file: OpenFile

  private init(_ file: OpenFile) { self.file = file }

  /// Locks at once; `nil` if somebody else holds the lock.
  static func attempt(_ file: OpenFile) throws -> KernelLock? {
    while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return nil
      default: throw Failure.system(.unwritableFile, "lock", at: file.path)
      }
    }
    return KernelLock(file)
  }

  /// Waits for the lock.
  ///
  /// - Throws: ``Failure/Code/busyRegistry`` after `seconds`.
  static func wait(_ file: OpenFile, seconds: Double) throws -> KernelLock {
    let end = Date(timeIntervalSinceNow: seconds)
    while true {
      if let lock = try attempt(file) { return lock }
      guard Date() < end else {
        throw Failure(
          .busyRegistry, "another process is writing to the registry", at: file.path, hint: "try again when it is done")
      }
      usleep(5_000)
    }
  }

  /// Ends the lock at the end of the scope that calls this last.
  func hold<Result>(_ body: () throws -> Result) rethrows -> Result {
    try withExtendedLifetime(file) { try body() }
  }
}
