import Foundation
import HubWords
import HubTesting
import Testing

/// Files that somebody else writes to while they are read or mapped.
@Suite struct CutShortTests {
  let hub: Program

  init() throws { hub = try Program() }

  /// A tiny model with a vocabulary.
  private func model() throws -> String {
    let folder = hub.scratch("model")
    let bert = Program.fixture("../../ParityTests/Cases/bases/bert")
    try FileManager.default.copyItem(atPath: bert, toPath: folder)
    let words = "[PAD] [UNK] [CLS] [SEP] [MASK] the camera is great".split(separator: " ").joined(separator: "\n")
    try hub.scratch.file("model/vocab.txt", Array(words.utf8))
    return folder
  }

  @Test func aModelCutShortWhileItRunsEndsWithASentence() throws {
    let model = try model()
    #expect(try hub("model", "add", model).status == 0)
    _ = try hub("install", Program.fixture("classifier"), "--as", "a")
    let (process, input) = (Process(), Pipe())
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = ["run", "--model", "model", "--setup", "a", "--json"]
    process.environment = ["HUB_REGISTRY": hub.registry, "HOME": hub.scratch.path, "HUB_THREADS": "1"]
    process.standardInput = input
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data("{\"text\": \"the camera\"}\n".utf8))
    #expect(!output.fileHandleForReading.availableData.isEmpty)
    #expect(truncate(model + "/model.safetensors", 0) == 0)
    try? input.fileHandleForWriting.write(contentsOf: Data("{\"text\": \"is great\"}\n".utf8))
    try input.fileHandleForWriting.close()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 74)
    #expect(text.hasPrefix("hub: error: a file was cut short while it was used\n"))
  }

  /// What is packed while the file changes is what the file was, or nothing.
  @Test func whatChangesWhileItIsReadIsNotTaken() async throws {
    let folder = hub.scratch("changing"), path = folder + "/adapter.safetensors"
    try FileManager.default.copyItem(atPath: Program.fixture("classifier"), toPath: folder)
    let whole = try contents(of: path)
    let right = try hub("pack", folder, "-o", "right.adapter").output
    let changes = Task.detached {
      var round = 0
      while !Task.isCancelled {
        round += 1
        switch round % 3 {
        case 0: truncate(path, off_t(round % whole.count))
        case 1: try? Data(whole + [0]).write(to: URL(fileURLWithPath: path))
        default: try? Data(whole).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        usleep(300)
      }
    }
    var statuses: [Int32: Int] = [:]
    for _ in 0..<40 {
      let result = try hub("pack", folder, "-o", "try.adapter", "--force")
      statuses[result.status, default: 0] += 1
      #expect([0, 65, 66, 74].contains(result.status), "\(result.errors)")
      if result.status == 0 { #expect(result.output == right) }
    }
    changes.cancel()
    await changes.value
    print("packed or refused while the file changed: \(statuses)")
  }
}
