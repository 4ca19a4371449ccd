import Foundation
import HubWords
import HubTesting

/// The program `hub`, as built beside these tests, with a registry of its own.
struct Program {
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  let scratch: Scratch
  var registry: String { scratch("registry") }

  init() throws { scratch = try Scratch() }

  static let path: String = {
    let executable =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    let folder = URL(fileURLWithPath: executable).deletingLastPathComponent()
    return folder.appendingPathComponent("hub").path
  }()

  static func fixture(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/HubRegistryTests/Fixtures/" + name
  }

  /// Starts the program; its output goes to files, so that nothing can fill up.
  func start(_ arguments: [String], output: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.path)
    process.arguments = arguments
    process.environment = ["HUB_REGISTRY": registry, "HOME": scratch.path, "TMPDIR": scratch.path]
    process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try handle(output)
    process.standardError = try handle(output + ".errors")
    try process.run()
    return process
  }

  func callAsFunction(_ arguments: String...) throws -> Result { try run(arguments) }

  func run(_ arguments: [String]) throws -> Result {
    let output = "output-\(UInt64.random(in: 0 ... .max))"
    let process = try start(arguments, output: output)
    process.waitUntilExit()
    defer {
      try? FileManager.default.removeItem(atPath: scratch(output))
      try? FileManager.default.removeItem(atPath: scratch(output + ".errors"))
    }
    return Result(
      status: process.terminationStatus, output: String(decoding: try scratch.bytes(output), as: UTF8.self),
      errors: String(decoding: try scratch.bytes(output + ".errors"), as: UTF8.self))
  }

  private func handle(_ name: String) throws -> FileHandle {
    try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.file(name, [])))
  }
}
