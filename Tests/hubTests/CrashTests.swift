import Foundation
import HubWords
import HubTesting
import Testing

@Suite(.serialized) struct CrashTests {
  let hub: Program

  init() throws { hub = try Program() }

  /// A copy of a fixture under another name, so that each installation writes something new.
  private func adapter(_ name: String) throws -> String {
    let folder = hub.scratch("adapter-\(name)")
    try FileManager.default.copyItem(atPath: Program.fixture("classifier"), toPath: folder)
    var members = try JSONObject(JSON(parsing: contents(of: folder + "/head_config.json"))).members
    members["note"] = .string(name)
    try hub.scratch.file("adapter-\(name)/head_config.json", Array(JSON.object(members).text().utf8))
    return folder
  }

  /// Kills installations at moments that lie closer and closer together; the registry is whole after each.
  @Test func killedInstallationsLeaveTheOldStateOrTheNew() throws {
    #expect(try hub("install", Program.fixture("fusion"), "--as", "old").status == 0)
    var finished = 0
    for round in 0..<40 {
      let name = "new\(round)"
      let process = try hub.start(["install", adapter(name), "--as", name], output: "output")
      usleep(UInt32(1500 * (round + 1)))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let installed = try hub("list", "-q").output.split(separator: "\n").map(String.init)
      #expect(installed.contains("old@1.0.0"))
      if installed.contains("\(name)@1.0.0") { finished += 1 }
      if round % 5 == 0 { #expect(try hub("verify").status == 0) }
      #expect(try hub("install", adapter("\(name)-again"), "--as", "again\(round)").status == 0)
    }
    #expect(try hub("verify").status == 0)
    #expect(try hub("gc").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: hub.registry + "/scratch").isEmpty)
    #expect(try hub("verify").output.isEmpty)
    #expect(try hub("list", "-q", "again").output.split(separator: "\n").count == 40)
    print("installations that came through: \(finished) of 40")
  }

  /// A repair that is killed can be repeated, as often as it takes.
  @Test func killedRepairsAndUndosAreRepeated() throws {
    for name in ["a", "b", "c", "d"] {
      _ = try hub("pack", Program.fixture("classifier"), "-o", "\(name).adapter", "--as", name)
      #expect(try hub("install", "\(name).adapter").status == 0)
    }
    for round in 0..<12 {
      let command = round % 2 == 0 ? "repair" : "undo"
      if command == "repair" {
        try FileManager.default.removeItem(atPath: hub.registry + "/registry.sqlite")
      } else {
        _ = try hub("remove", "b")
      }
      let process = try hub.start([command], output: "output")
      usleep(UInt32(6000 * round))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      _ = try hub(command)
      #expect(try hub("verify").status == 0)
      #expect(try hub("list", "-q").output == "a@1.0.0\nb@1.0.0\nc@1.0.0\nd@1.0.0\n")
    }
  }

  @Test func manyProcessesInstallAtOnce() throws {
    let shared = try adapter("shared")
    let processes = try (0..<8).flatMap { index in
      [
        try hub.start(["install", adapter("own\(index)"), "--as", "own\(index)"], output: "own\(index)"),
        try hub.start(["install", shared, "--as", "shared"], output: "shared\(index)"),
        try hub.start(["list"], output: "list\(index)"),
        try hub.start(["gc"], output: "gc\(index)"),
      ]
    }
    for process in processes {
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
    }
    #expect(try hub("list", "-q").output.split(separator: "\n").count == 9)
    #expect(try hub("verify").status == 0)
  }

  @Test func readOnlyRegistryIsRead() throws {
    #expect(try hub("install", Program.fixture("classifier")).status == 0)
    func protect(_ folderMode: mode_t, _ fileMode: mode_t) {
      for path in [""] + (FileManager.default.subpaths(atPath: hub.registry) ?? []).map({ "/" + $0 }) {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: hub.registry + path, isDirectory: &isFolder)
        if isFolder.boolValue || !path.contains("blobs") {
          chmod(hub.registry + path, isFolder.boolValue ? folderMode : fileMode)
        }
      }
    }
    protect(0o500, 0o400)
    defer { protect(0o700, 0o600) }
    #expect(try hub("list", "-q").output == "a@1.0.0\n")
    #expect(try hub("verify").status == 0)
    #expect(try hub("info", "a").status == 0)
  }
}
