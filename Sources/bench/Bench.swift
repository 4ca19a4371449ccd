public import ArgumentParser
import Foundation
import HubWords
public import HubTensor

/// Times forward passes on models and adapters as the peers' scripts write them; prints one JSON line a workload.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the engine on the workloads that its peers are timed on.",
    discussion:
      "Workloads: \(Workload.all.map(\.name).joined(separator: ", ")); and \(Workload.methods.map(\.name).joined(separator: ", "))"
  )

  @Argument(help: "A folder with ARCH/base and ARCH/adapters/NAME.")
  var models: String?
  @Option(help: "Which model of the folder.")
  var arch = "xlmr-base"
  @Option(help: "Threads.")
  var threads = 1
  @Option(help: "Seconds to spend on a workload.")
  var seconds = 5.0
  @Option(help: "A workload; may be repeated. All but those of the methods if there is none.")
  var workload: [String] = []
  @Option(help: "What the base's weights are kept in: \(Precision.allCases.map(\.rawValue).joined(separator: ", ")).")
  var precision = Precision.float32
  @Flag(help: "Measure the start: from files to the first answer, from the cache, and the change of adapters.")
  var load = false
  @Flag(help: "Measure what the machine can do: products in registers, reading from memory.")
  var peak = false
  @Flag(help: "Measure single kernels, as shares of that.")
  var kernels = false

  func validate() throws {
    let known = Set((Workload.all + Workload.methods).map(\.name))
    if models == nil && !peak && !kernels {
      throw ValidationError("a folder of models, --peak or --kernels is missing")
    }
    if let unknown = workload.first(where: { !known.contains($0) }) {
      throw ValidationError("there is no workload called \(unknown)")
    }
  }

  func run() throws {
    let isa = ProcessInfo.processInfo.environment["HUB_ISA"]
    if peak { try KernelTimes(threads: threads, seconds: seconds).peaks(of: isa) }
    if kernels { try KernelTimes(threads: threads, seconds: min(seconds, 1)).kernels(of: isa) }
    if let models { try run(on: "\(models)/\(arch)") }
  }

  private func run(on folder: String) throws {
    let engine = try Engine(threads: threads)
    if load { return try report(LoadTimes(folder: folder, precision: precision, engine: engine).measured()) }
    let model = try BenchModel(folder: folder, engine: engine, precision: precision)
    for item in workload.isEmpty
      ? Workload.all : (Workload.all + Workload.methods).filter({ workload.contains($0.name) })
    {
      let prepared = try model.prepared(item)
      let times = try measure(seconds: seconds) { try prepared.run() }
      report(item, times, engine)
    }
  }

  private func report(_ times: [(name: String, seconds: Double)]) {
    for (name, seconds) in times {
      print(
        JSON.object([
          "arch": .string(arch), "dtype": .string(precision.rawValue), "load": .string(name),
          "seconds": rounded(seconds), "threads": .integer(threads),
        ]).text())
    }
  }

  private func report(_ item: Workload, _ times: [Double], _ engine: Engine) {
    let median = times[times.count / 2]
    let line: JSON = [
      "peer": .string("dovetail-\(engine.kernels.name)"), "arch": .string(arch), "dtype": .string(precision.rawValue),
      "workload": .string(item.name),
      "threads": .integer(threads), "seconds": .number(median),
      "tokens_per_second": .number(Double(item.lengths.reduce(0, +)) / median),
      "n": .integer(times.count),
    ]
    print(line.text())
  }

}

extension Precision: ExpressibleByArgument {}
