import ArgumentParser
import Dovetail
import Foundation
import HubArchive
import HubWords
import HubRegistry

struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Record exactly which adapters are installed.",
    discussion: """
      hub lock -o hub.lock
      hub lock ner 'lang/sw@^1' -o hub.lock
      hub install --locked hub.lock ./adapters       on another machine

      Lists the adapters named and those that they were trained with; without references, everything \
      that is installed.
      """)

  @Argument(help: ArgumentHelp("References.", valueName: "reference")) var references: [String] = []
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The file to write; by default standard output.", valueName: "file"),
    completion: .file())
  var output: String?
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let lock = try options.open().registry.lock(references.map { try AdapterReference($0) })
    let text = lock.json.text(indent: 2)
    guard let output else { return try Console.put(text) }
    let file = try AtomicFile(output)
    try Array((text + "\n").utf8).withUnsafeBytes { try file.file.write($0) }
    try file.commit()
    Console.say("hub: locked adapters: \(lock.entries.count)")
  }
}

extension JSON {
  /// Reads a file that people write or keep under version control.
  init(file path: String) throws {
    let limit = InputLimits.jsonBytes
    guard let file = FileHandle(forReadingAtPath: path), let data = try file.read(upToCount: limit + 1) else {
      throw Failure(.missingFile, "the file cannot be read, or is empty")
    }
    try self.init(parsing: data)
  }
}
