import Foundation
import HubWords

/// A folder that is removed at the end of a test.
public final class Scratch {
  public let path: String

  public init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dovetail-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of something in the folder.
  public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  @discardableResult
  public func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: self(name))
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  public func folder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    return self(name)
  }

  public func bytes(_ name: String) throws -> [UInt8] { try contents(of: self(name)) }

  /// The paths of all files and folders below, sorted.
  public var listing: [String] { (FileManager.default.subpaths(atPath: path) ?? []).sorted() }
}

public func contents(of path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The name of the code of the failure that `body` throws, `nil` if it throws none.
public func code(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch let failure as Failure {
    return failure.code.name
  } catch {
    return "not a Failure: \(error)"
  }
}
