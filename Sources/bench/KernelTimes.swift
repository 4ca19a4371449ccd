import HubWords
import HubTensor

/// What the machine can do, and what the kernels make of it; one JSON line a figure.
struct KernelTimes {
  let threads: Int
  let seconds: Double

  /// The instruction sets to measure: the one that is asked for by name, or all.
  private func kernels(_ name: String?) throws -> [Kernels] { name == nil ? Kernels.available : [try .named(name)] }

  func peaks(of isa: String?) throws {
    for kernels in try kernels(isa) {
      for precision in Precision.allCases {
        report([
          "measure": "peak", "isa": .string(kernels.name), "precision": .string(precision.rawValue),
          "gops": rounded(kernels.peak(precision) / 1e9),
        ])
      }
    }
    for threads in Set([1, threads]).sorted() {
      let bandwidth = Engine(kernels: Kernels.available[0], threads: threads).memoryBandwidth()
      report(["measure": "memory", "threads": .integer(threads), "gigabytes_per_second": rounded(bandwidth / 1e9)])
    }
  }

  func kernels(of isa: String?) throws {
    for kernels in try kernels(isa) {
      let context = Context(Engine(kernels: kernels, threads: 1))
      for precision in Precision.allCases {
        for (m, n, k) in [(512, 768, 3072), (512, 3072, 768), (512, 768, 768), (1024, 3072, 768)] {
          product(m, n, k, precision, context)
        }
        for m in [1, 4, 8, 16, 32] { fewRows(m, precision, context) }
      }
      for rows in [32, 128, 512] { attention(rows, context) }
    }
  }

  /// The share is of the peak just before and after: on a shared machine, what there is to be had changes by the
  /// second.
  private func time(_ kernels: Kernels, _ precision: Precision, _ body: () -> Void) -> (seconds: Double, peak: Double) {
    let before = kernels.peak(precision, tries: 5)
    let best = measure(seconds: seconds, body)[0]
    return (best, max(before, kernels.peak(precision, tries: 5)))
  }

  private func weight(_ n: Int, _ k: Int, _ precision: Precision, _ context: Context) -> Parameter {
    let weight = Parameter("w", context.tensor(rows: n, columns: k, (0..<n * k).map { Float($0 % 251) / 125 - 1 }))
    weight.prepare(in: context, precision: precision)
    return weight
  }

  private func rows(_ m: Int, _ k: Int, _ context: Context) -> Tensor {
    context.tensor(rows: m, columns: k, (0..<m * k).map { Float($0 % 241) / 120 - 1 })
  }

  private func product(_ m: Int, _ n: Int, _ k: Int, _ precision: Precision, _ context: Context) {
    let kernels = context.engine.kernels, x = rows(m, k, context), w = weight(n, k, precision, context)
    let (best, peak) = time(kernels, precision) { _ = context.linear(x, w) }
    let speed = 2 * Double(m * n * k) / best
    report([
      "measure": "product", "isa": .string(kernels.name), "precision": .string(precision.rawValue),
      "shape": .string("\(m)x\(n)x\(k)"),
      "gops": rounded(speed / 1e9), "share_of_peak": rounded(speed / peak),
    ])
  }

  /// Weights that fit no cache, a matrix of them after the other, as in a model that answers one short request.
  private func fewRows(_ m: Int, _ precision: Precision, _ context: Context) {
    let (n, k) = (768, 3072)
    let x = rows(m, k, context),
      values = context.tensor(rows: n, columns: k, (0..<n * k).map { Float($0 % 251) / 125 - 1 })
    let bytes = n * k * 4 / (precision == .float32 ? 1 : precision == .bfloat16 ? 2 : 4)
    let weights = (0..<(192 << 20) / bytes).map { index in
      let weight = Parameter("w\(index)", values)
      weight.prepare(in: context, precision: precision)
      return weight
    }
    let best = measure(seconds: seconds) { for weight in weights { _ = context.linear(x, weight) } }[0]
    report([
      "measure": "few rows", "isa": .string(context.engine.kernels.name), "precision": .string(precision.rawValue),
      "rows": .integer(m),
      "gigabytes_per_second": rounded(Double(weights.count * bytes) / best / 1e9),
      "gops": rounded(2 * Double(weights.count * m * n * k) / best / 1e9),
    ])
  }

  private func attention(_ length: Int, _ context: Context) {
    let heads = 12, width = 64
    let q = rows(length, heads * width, context), k = rows(length, heads * width, context),
      v = rows(length, heads * width, context)
    let (best, peak) = time(context.engine.kernels, .float32) {
      _ = context.attention(q, k, v, AttentionForm(heads: heads), in: Sequences(lengths: [length]))
    }
    let speed = 4 * Double(length * length * heads * width) / best
    report([
      "measure": "attention", "isa": .string(context.engine.kernels.name), "rows": .integer(length),
      "microseconds_per_head": rounded(best / Double(heads) * 1e6), "gops": rounded(speed / 1e9),
      "share_of_peak": rounded(speed / peak),
    ])
  }

  private func report(_ line: JSON) { print(line.text()) }
}
