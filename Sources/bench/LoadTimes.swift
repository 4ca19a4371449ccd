import Foundation
import HubWords
import HubTensor
import HubTransformer

/// How long it takes until there is an answer.
struct LoadTimes {
  let folder: String
  let precision: Precision
  let engine: Engine

  /// Seconds from the files to the answer of one short text: packing the weights, packing and keeping them, mapping
  /// what was kept; and of one more adapter in a loaded model.
  func measured() throws -> [(name: String, seconds: Double)] {
    let cacheFolder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: cacheFolder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: cacheFolder) }
    let cache = PackedCache(folder: cacheFolder, leastBytes: 0)
    // The fingerprint is known to a registry; here it is only a name.
    let cached: (Checkpoint, any BaseModel, Context) -> Void = {
      cache.prepare($1, fingerprint: Digest(of: folder.utf8), in: $2)
    }
    return [
      ("cold", try seconds { try answer(BenchModel(folder: folder, engine: engine, precision: precision)) }),
      (
        "cold, filling the cache",
        try seconds { try answer(BenchModel(folder: folder, engine: engine, precision: precision, prepare: cached)) }
      ),
      (
        "from the cache",
        try seconds { try answer(BenchModel(folder: folder, engine: engine, precision: precision, prepare: cached)) }
      ),
      ("one more adapter", try oneMore()),
    ]
  }

  private func seconds(_ body: () throws -> Void) throws -> Double { try ContinuousClock().measure(body) / .seconds(1) }

  private func answer(_ model: BenchModel) throws { try model.prepared(short()).run() }

  private func short(_ composition: Composition = .stack("lang0", "task0"), _ head: String = "task0") -> Workload {
    Workload(name: "short", lengths: [8], composition: composition, heads: [head])
  }

  /// Loading an adapter with its head, and the first answer with it, less an answer before: medians of seven.
  private func oneMore() throws -> Double {
    let model = try BenchModel(folder: folder, engine: engine, precision: precision)
    let first = try model.prepared(short("task0"))
    try first.run()
    let times = try (1...7).map { number in
      (
        answer: try seconds { try first.run() },
        more: try seconds { try model.prepared(short(.adapter("task\(number)"), "task\(number)")).run() }
      )
    }
    return withExtendedLifetime(model) { times.map(\.more).sorted()[3] - times.map(\.answer).sorted()[3] }
  }
}
