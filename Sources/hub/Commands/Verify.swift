import ArgumentParser
import Dovetail
import HubManifest
import HubRegistry

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare everything in the registry with what was installed.",
    discussion: """
      hub verify
      hub verify --json

      Reads every byte. Exits with 1 if anything is not as it was.
      """)

  @Flag(help: "Print JSON of the schema hub.verify/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let result = try options.open().registry.verify()
    if json {
      try Console.put(json: document(result), schema: "hub.verify/1")
    } else {
      for finding in result.findings {
        try Console.put([finding.kind, finding.subject, finding.message].map(Console.escaped).joined(separator: Console.isTerminal ? "  " : "\t"))
      }
      let findings = result.findings.isEmpty ? "nothing is wrong" : "findings: \(result.findings.count)"
      Console.say("hub: looked at adapters: \(result.adapters), files: \(result.files), base models: \(result.models); \(findings)")
    }
    if !result.findings.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func document(_ result: Verification) -> JSON.Members {
    [
      "adapters": .integer(result.adapters), "files": .integer(result.files), "models": .integer(result.models),
      "findings": .array(
        result.findings.map { ["kind": .string($0.kind), "subject": .string($0.subject), "message": .string($0.message)] }),
    ]
  }
}
