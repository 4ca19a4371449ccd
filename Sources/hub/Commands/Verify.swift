import ArgumentParser
import Dovetail
import HubWords
import HubRegistry

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare everything in the registry with what was installed.",
    discussion: """
      hub verify
      hub verify --json
      hub verify --model minilm

      Reads every byte. With a base model, adapters that have a probe must also answer it as they did when they were \
      packed. Exits with 1 if anything has changed.
      """)

  @Option(help: ArgumentHelp("The base model on which to run probes.", valueName: "name")) var model: String?
  @Flag(help: "Print JSON of the schema hub.verify/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let hub = try options.open(), result = try hub.registry.verify()
    let probes = try model.map { try hub.verifyProbes(on: hub.baseModel($0)) }
    let found = result.findings + (probes?.findings ?? [])
    if json {
      try Console.put(json: document(result, probes: probes?.count ?? 0, found), schema: "hub.verify/1")
    } else {
      for finding in found {
        try Console.put(
          [finding.kind, finding.subject, finding.message].map(Console.escaped).joined(
            separator: Console.isTerminal ? "  " : "\t"))
      }
      let findings = found.isEmpty ? "nothing is wrong" : "findings: \(found.count)",
        ran = probes.map { ", probes: \($0.count)" } ?? ""
      Console.say(
        "hub: looked at adapters: \(result.adapters), files: \(result.files), base models: \(result.models)\(ran); \(findings)"
      )
    }
    if !found.isEmpty { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func document(_ result: Verification, probes: Int, _ found: [Finding]) -> JSON.Members {
    [
      "adapters": .integer(result.adapters), "files": .integer(result.files), "models": .integer(result.models),
      "probes": .integer(probes),
      "findings": .array(
        found.map { ["kind": .string($0.kind), "subject": .string($0.subject), "message": .string($0.message)] }),
    ]
  }
}
