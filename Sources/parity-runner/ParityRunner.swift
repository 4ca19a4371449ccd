import Foundation
import HubAdapters
import HubForeign
import HubWords
import HubTensor
import HubTransformer
import HubWeights

/// `parity-runner CASE_DIR OUT.safetensors`: computes one golden case. `parity-runner --batch` reads such pairs from
/// standard input, separated by a tab, and answers each with the case, the status and a message.
@main
struct ParityRunner {
  /// Codes of what Dovetail does not have, as opposed to what it refuses.
  static let unsupported: Set<Failure.Code> = [
    .unsupportedCase, .unsupportedForeignContent, .unsupportedAdapter, .unsupportedHead, .unsupportedModel,
  ]

  static func main() throws {
    let engine = try Engine()
    let arguments = CommandLine.arguments.dropFirst()
    if Array(arguments) == ["--batch"] {
      while let line = readLine() {
        let paths = line.split(separator: "\t").map(String.init)
        guard paths.count == 2 else { continue }
        let (status, message) = run(paths[0], paths[1], engine)
        print("\(paths[0])\t\(status)\t\(message.replacing("\n", with: " "))")
        fflush(nil)
      }
    } else if arguments.count == 2 {
      let (status, message) = run(arguments[1], arguments[2], engine)
      if status != 0 { FileHandle.standardError.write(Data((message + "\n").utf8)) }
      exit(status)
    } else {
      FileHandle.standardError.write(Data("usage: parity-runner CASE_DIR OUT.safetensors\n".utf8))
      exit(64)
    }
  }

  /// The tensors of a case.
  static func outputs(_ parityCase: Case, _ engine: Engine) throws -> [StoredTensor] {
    if let generation = parityCase.generation {
      var run = try GenerationRun(parityCase, generation, engine: engine)
      try run.run()
      return run.outputs
    }
    let run = try CaseRun(parityCase, engine: engine)
    try run.run()
    return run.outputs
  }

  private static func run(_ folder: String, _ output: String, _ engine: Engine) -> (status: Int32, message: String) {
    do {
      try SafetensorsWriter.write(outputs(Case(folder: folder), engine), to: output)
      return (0, "")
    } catch let failure as Failure where unsupported.contains(failure.code) {
      return (3, "unsupported: \(failure.message) \(failure.subject ?? "")")
    } catch let failure as Failure {
      return (65, failure.description)
    } catch {
      return (70, "\(error)")
    }
  }
}
