import ArgumentParser
import Dovetail
import Foundation
import HubArchive
import HubWords
import HubRegistry
import HubTensor

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Show facts about this machine and this registry.",
    discussion: """
      hub doctor

      Include this in every bug report. Exits with 1 if something is wrong with the registry, or if a library \
      is too old; `hub verify` checks more.
      """)

  @Flag(help: "Print JSON of the schema hub.doctor/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let engine = try Engine()
    let folder = Registry(options.path).folder
    let (health, isWell) = health
    let available = Kernels.available.map(\.name)
    let system = ProcessInfo.processInfo.operatingSystemVersionString
    if json {
      try Console.put(
        json: [
          "version": .string(HubCommand.configuration.version), "system": .string(system),
          "instructionSets": .array(available.map { .string($0) }), "instructionSet": .string(engine.kernels.name),
          "libraries": .array(
            libraries.map {
              ["name": .string($0.name), "version": .string($0.version.description), "isTooOld": .bool($0.isTooOld)]
            }),
          "threads": .integer(engine.workers.count), "registry": .string(folder), "health": .string(health),
          "isWell": .bool(isWell),
        ], schema: "hub.doctor/1")
    } else {
      var sheet = Sheet()
      sheet.add("hub", HubCommand.configuration.version)
      sheet.add("system", system)
      sheet.add(
        "instruction sets", available.map { $0 == engine.kernels.name ? "\($0) (chosen)" : $0 }.joined(separator: ", "))
      sheet.add("libraries", libraries.map { "\($0.name) \($0.version)" }.joined(separator: ", "))
      sheet.add("threads", String(engine.workers.count))
      sheet.add("registry", "\(folder) (\(origin))")
      sheet.add("health", health)
      try Console.put(sheet.text)
    }
    if !isWell { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private var origin: String {
    if options.path != nil { return "--registry" }
    let environment = ProcessInfo.processInfo.environment
    if environment["HUB_REGISTRY"]?.isEmpty == false { return "HUB_REGISTRY" }
    return environment["XDG_DATA_HOME"]?.hasPrefix("/") == true ? "XDG_DATA_HOME" : "the default"
  }

  private var libraries: [LinkedLibrary] { LinkedLibrary.ofArchives + [.ofRegistry] }

  private var health: (String, isWell: Bool) {
    if let old = libraries.first(where: \.isTooOld) {
      return ("\(old.name) \(old.version) has known faults: \(old.oldest) does not", false)
    }
    do {
      let registry = try options.open().registry
      guard try registry.exists else { return ("not there yet", true) }
      if let fault = try registry.indexFaults().first { return ("the index is damaged: \(fault)", false) }
      let (adapters, models) = (try registry.list(), try registry.baseModels())
      let changed = models.filter(\.hasChanged).map(\.name.text)
      guard changed.isEmpty else { return ("base models were changed: \(changed.joined(separator: ", "))", false) }
      return ("well; adapters: \(adapters.count), base models: \(models.count)", true)
    } catch let failure as Failure {
      return (failure.message, false)
    } catch {
      return ("\(error)", false)
    }
  }
}
