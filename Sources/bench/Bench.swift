public import ArgumentParser
import Foundation
import HubAdapters
import HubForeign
import HubManifest
public import HubTensor
import HubTransformer
import HubWeights

/// Times forward passes on models and adapters as the peers' scripts write them; prints one JSON line a workload.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time the engine on the workloads that its peers are timed on.",
    discussion: "Workloads: \(Workload.all.map(\.name).joined(separator: ", "))")

  @Argument(help: "A folder with ARCH/base and ARCH/adapters/NAME.")
  var models: String?
  @Option(help: "Which model of the folder.")
  var arch = "xlmr-base"
  @Option(help: "Threads.")
  var threads = 1
  @Option(help: "Seconds to spend on a workload.")
  var seconds = 5.0
  @Option(help: "A workload; may be repeated. All if there is none.")
  var workload: [String] = []
  @Option(help: "What the base's weights are kept in: \(Precision.allCases.map(\.rawValue).joined(separator: ", ")).")
  var precision = Precision.float32
  @Flag(help: "Measure what the machine can do: products in registers, reading from memory.")
  var peak = false
  @Flag(help: "Measure single kernels, as shares of that.")
  var kernels = false

  func validate() throws {
    let known = Set(Workload.all.map(\.name))
    if models == nil && !peak && !kernels { throw ValidationError("a folder of models, --peak or --kernels is missing") }
    if let unknown = workload.first(where: { !known.contains($0) }) { throw ValidationError("there is no workload called \(unknown)") }
  }

  func run() throws {
    let isa = ProcessInfo.processInfo.environment["HUB_ISA"]
    if peak { try KernelTimes(threads: threads, seconds: seconds).peaks(of: isa) }
    if kernels { try KernelTimes(threads: threads, seconds: min(seconds, 1)).kernels(of: isa) }
    if let models { try run(on: "\(models)/\(arch)") }
  }

  private func run(on folder: String) throws {
    let engine = try Engine(threads: threads)
    let base = try Checkpoint(folder: "\(folder)/base").load(engine: engine)
    base.prepare(in: Context(engine, precision: precision))
    for item in Workload.all where workload.isEmpty || workload.contains(item.name) {
      let setup = try item.composition.map { try self.setup($0, folder, base, engine) }
      let head = try item.composition == nil ? nil : self.head("task0", folder, base, engine)
      let tokens = TokenBatch(item.lengths.map { (ids: ids($0), typeIDs: [Int](repeating: 0, count: $0)) })
      let times = try measure(seconds: seconds) { try pass(base, setup, head, tokens, engine) }
      report(item, times, engine)
    }
  }

  private func pass(_ base: any BaseModel, _ setup: Setup?, _ head: (any Head)?, _ tokens: TokenBatch, _ engine: Engine) throws {
    let cx = Context(engine)
    let hidden =
      if let setup { try base(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: cx) } else { try base(tokens, with: NoInterventions(), in: cx) }
    _ = try head?(hidden, tokens.sequences, base: base, in: cx)
  }

  private func report(_ item: Workload, _ times: [Double], _ engine: Engine) {
    let median = times[times.count / 2]
    let line: JSON = [
      "peer": .string("dovetail-\(engine.kernels.name)"), "arch": .string(arch), "dtype": .string(precision.rawValue), "workload": .string(item.name),
      "threads": .integer(threads), "seconds": .number(median), "tokens_per_second": .number(Double(item.lengths.reduce(0, +)) / median),
      "n": .integer(times.count),
    ]
    print(line.text())
  }

  private func ids(_ length: Int) -> [Int] {
    [0] + (0..<max(0, length - 2)).map { 10 + $0 * 7919 % 19_000 } + (length > 1 ? [2] : [])
  }

  private func foreign(_ name: String, _ folder: String) throws -> ForeignAdapter { try AdapterHub.read(folder: "\(folder)/adapters/\(name)") }

  private func setup(_ composition: Composition, _ folder: String, _ base: any BaseModel, _ engine: Engine) throws -> Setup {
    try Setup(composition) { name in
      let adapter = try foreign(name, folder)
      return try AdapterMethods.load(JSONObject(adapter.configuration), StoredWeights(adapter.weights), shape: base.shape, engine: engine)
    } fusion: { _, _, sites in
      let fusion = try foreign("fusion0", folder)
      return try StoredWeights(fusion.weights).load(engine: engine) {
        try AdapterFusion(configuration: JSONObject(fusion.configuration), sites: sites, shape: base.shape, weights: $0)
      }
    }
  }

  private func head(_ name: String, _ folder: String, _ base: any BaseModel, _ engine: Engine) throws -> (any Head)? {
    try foreign(name, folder).head.map { try Heads.load(JSONObject($0.configuration), StoredWeights($0.weights), shape: base.shape, engine: engine) }
  }
}

extension Precision: ExpressibleByArgument {}
