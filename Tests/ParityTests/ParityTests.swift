import Foundation
import HubWords
import HubTensor
import HubWeights
import Testing

@testable import parity_runner

/// Golden cases of the Python library: what it computed from the same files. A few travel with the package; all of
/// them run where the folder `../shared` (or `DOVETAIL_SHARED`) is.
@Suite struct ParityTests {
  private static let local = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases")
  private static let shared = URL(
    filePath: ProcessInfo.processInfo.environment["DOVETAIL_SHARED"]
      ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../shared").path
  ).appending(path: "parity").standardizedFileURL

  private static func cases(in folder: URL) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/case.json").path) }
      .sorted()
  }

  @Test(arguments: Self.cases(in: Self.local))
  func localCase(name: String) throws {
    let verdict = try Self.verdict(Self.local.appending(path: name).path, Engine(threads: 2))
    #expect(verdict == .pass, "\(name)")
  }

  /// Portable loops and AVX2 give the same answers within the same tolerance.
  @Test(arguments: Kernels.available.map(\.name))
  func everyInstructionSetPasses(name: String) throws {
    let engine = Engine(kernels: try .named(name), threads: 1)
    for name in ["stack_fuse", "seq_bn_inv", "train_stack"] {
      #expect(try Self.verdict(Self.local.appending(path: name).path, engine) == .pass, "\(name)")
    }
  }

  @Test(arguments: [("cases", "", 179), ("next", "train_", 51), ("next", "gen_", 44), ("next", "sample_", 7)])
  func sharedCases(suite: String, prefix: String, least: Int) throws {
    let folder = Self.shared.appending(path: suite), names = Self.cases(in: folder).filter { $0.hasPrefix(prefix) }
    guard !names.isEmpty else {
      print("SKIPPED: the full parity suite is not at \(folder.path)")
      return
    }
    let engine = try Engine(threads: 2)
    var passed = 0, unsupported = 0
    for name in names {
      switch try Self.verdict(folder.appending(path: name).path, engine) {
      case .pass:
        passed += 1
      case .unsupported: unsupported += 1
      case .fail(let why):
        Issue.record("\(name): \(why)")
      }
    }
    print("parity of \(suite): \(passed) passed, \(unsupported) unsupported")
    #expect(passed >= least, "cases that passed before must pass")
  }

  private enum Verdict: Equatable {
    case pass, unsupported
    case fail(String)
  }

  private static func verdict(_ folder: String, _ engine: Engine) throws -> Verdict {
    let json = try JSONObject(JSON(parsing: Data(contentsOf: URL(filePath: folder + "/case.json"))))
    let mustBeRefused = json.members["error"] != nil
    let outputs: [StoredTensor]
    do {
      outputs = try ParityRunner.outputs(Case(folder: folder), engine)
    } catch let failure as Failure {
      if ParityRunner.unsupported.contains(failure.code) { return .unsupported }
      let needsModel = failure.code.name == "model/not-found"
      return mustBeRefused ? .pass : needsModel ? .unsupported : .fail(failure.description)
    }
    return mustBeRefused ? .fail("should be refused") : try compared(outputs, json, folder)
  }

  private static func compared(_ outputs: [StoredTensor], _ json: JSONObject, _ folder: String) throws -> Verdict {
    let tolerance = try json.object("tolerance")
    let absolute = Float(try tolerance.number("atol")), relative = Float(try tolerance.number("rtol"))
    var masks: [String: [Bool]] = [:]
    for group in json.members["token_masks"]?.array ?? [] {
      let valid = (group["valid"]?.array ?? []).flatMap {
        ($0.integers ?? $0.integer.map { [$0] } ?? []).map { $0 != 0 }
      }
      for name in group["tensors"]?.strings ?? [] { masks[name] = valid }
    }
    let got = Dictionary(outputs.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    for expected in try Safetensors.open(folder + "/expected.safetensors").tensors {
      guard let tensor = got[expected.name] else { return .fail("\(expected.name) is missing") }
      guard tensor.shape == expected.shape else {
        return .fail("\(expected.name) has the shape \(tensor.shape), not \(expected.shape)")
      }
      let width = masks[expected.name].map { expected.count / $0.count } ?? 1
      for (index, (value, want)) in zip(try tensor.floats(), try expected.floats()).enumerated()
      where masks[expected.name]?[index / width] != false {
        guard abs(value - want) <= absolute + relative * abs(want) else {
          return .fail("\(expected.name): element \(index) is \(value), not \(want)")
        }
      }
    }
    return .pass
  }
}
