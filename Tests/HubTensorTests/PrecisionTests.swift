import Foundation
import HubTensor
import Testing

/// Products with weights in every precision, on every instruction set, against plain loops over the same numbers.
@Suite struct PrecisionTests {
  private static let each = Array(1...17) + [31, 33, 64]
  /// Every small size of each dimension while the others are odd; then what takes several blocks of rows and of depth.
  static let sizes =
    each.map { ($0, 35, 19) } + each.map { (5, $0, 19) } + each.map { (3, 33, $0) } + [
      (171, 9, 70), (2, 40, 1551), (1, 33, 3101), (29, 64, 768),
    ]

  /// `x · wᵀ` of rows and weights that are made here, and what they are.
  private func product(
    _ engine: Engine, _ size: (m: Int, n: Int, k: Int), _ precision: Precision
  ) -> (x: [Float], w: [Float], y: [Float]) {
    var numbers = Numbers(size.m * 31 + size.n * 7 + size.k)
    let context = Context(engine)
    let x = numbers(size.m * size.k), w = numbers(size.n * size.k)
    let weight = Parameter("w", context.tensor(rows: size.n, columns: size.k, w))
    weight.prepare(in: context, precision: precision)
    return (x, w, context.linear(context.tensor(rows: size.m, columns: size.k, x), weight).values)
  }

  private func dot(_ x: ArraySlice<Float>, _ w: ArraySlice<Float>) -> (sum: Double, magnitude: Double) {
    zip(x, w).reduce(into: (0, 0)) {
      $0 = ($0.0 + Double($1.0) * Double($1.1), $0.1 + abs(Double($1.0) * Double($1.1)))
    }
  }

  /// The nearest number of eight significant bits.
  private func bfloat16(_ x: Float) -> Float {
    let step = Float(sign: .plus, exponent: x.exponent - 7, significand: 1)
    return x == 0 ? 0 : (x / step).rounded(.toNearestOrEven) * step
  }

  @Test(arguments: Kernels.available.indices)
  func bfloat16RoundsItsFactorsOnly(isa: Int) {
    let engine = Engine(kernels: Kernels.available[isa], threads: 1)
    for (m, n, k) in Self.sizes {
      let (x, w, y) = product(engine, (m, n, k), .bfloat16)
      let rounded = (x: x.map(bfloat16), w: w.map(bfloat16))
      for i in 0..<m {
        for j in 0..<n {
          let rows = i * k..<(i + 1) * k, columns = j * k..<(j + 1) * k
          let (sum, magnitude) = dot(rounded.x[rows], rounded.w[columns])
          // Each of k additions may lose half a unit in the last place of float32, which has 24 bits.
          let sums = Double(k + 1) * 0x1p-24 * magnitude
          #expect(abs(Double(y[i * n + j]) - sum) <= sums, "\(m)x\(n)x\(k) at \(i), \(j) on \(engine.kernels.name)")
          // Each factor is off by at most 2⁻⁸ of itself, hence each product by 2⁻⁷ + 2⁻¹⁶.
          let exact = dot(x[rows], w[columns])
          #expect(abs(Double(y[i * n + j]) - exact.sum) <= exact.magnitude * (0x1p-7 + 0x1p-16) + sums)
        }
      }
    }
  }

  /// `x ≈ values · scale`. Weights have 64 steps on each side of zero, rows 254 from their lowest to their highest.
  private func quantised(_ row: ArraySlice<Float>, asWeights: Bool) -> (values: [Int], scale: Float) {
    let lowest = min(row.min() ?? 0, 0), highest = max(row.max() ?? 0, 0)
    let extent = asWeights ? max(-lowest, highest) : highest - lowest
    if extent == 0 { return (row.map { _ in 0 }, 0) }
    let steps: Float = asWeights ? 64 : 254, factor = steps / extent
    return (row.map { Int(($0 * factor).rounded(.toNearestOrEven)) }, extent / steps)
  }

  @Test(arguments: Kernels.available.indices)
  func int8SumsAreExact(isa: Int) {
    let engine = Engine(kernels: Kernels.available[isa], threads: 1)
    for (m, n, k) in Self.sizes {
      let (x, w, y) = product(engine, (m, n, k), .int8)
      let rows = (0..<m).map { quantised(x[$0 * k..<($0 + 1) * k], asWeights: false) },
        columns = (0..<n).map { quantised(w[$0 * k..<($0 + 1) * k], asWeights: true) }
      let expected = rows.flatMap { row in
        columns.map { column in
          Float(zip(row.values, column.values).reduce(0) { $0 + $1.0 * $1.1 }) * (row.scale * column.scale)
        }
      }
      #expect(y == expected, "\(m)x\(n)x\(k) on \(engine.kernels.name)")
    }
  }

  /// The largest numbers that there are, all of one sign: no sum on the way may overflow.
  @Test(arguments: Kernels.available.indices, [Float(1), -1])
  func int8SumsDoNotSaturate(isa: Int, sign: Float) {
    let context = Context(Engine(kernels: Kernels.available[isa], threads: 1))
    let (m, n, k) = (15, 35, 1030)
    let weight = Parameter("w", context.tensor(rows: n, columns: k, Array(repeating: sign * 64, count: n * k)))
    weight.prepare(in: context, precision: .int8)
    for value: Float in [254, -254] {
      let y = context.linear(context.tensor(rows: m, columns: k, Array(repeating: value, count: m * k)), weight).values
      #expect(y == Array(repeating: value * sign * 64 * Float(k), count: m * n), "\(context.engine.kernels.name)")
    }
  }

  /// |x − q·s| ≤ s/2 for each factor, so a product is off by at most |x|·s_w/2 + |w|·s_x/2 + s_x·s_w/4.
  @Test func int8ErrorsAreThoseOfItsFormat() {
    let (m, n, k) = (9, 40, 300)
    let (x, w, y) = product(engines[0], (m, n, k), .int8)
    for i in 0..<m {
      for j in 0..<n {
        let row = x[i * k..<(i + 1) * k], column = w[j * k..<(j + 1) * k]
        let sx = Double(quantised(row, asWeights: false).scale), sw = Double(quantised(column, asWeights: true).scale)
        let bound = zip(row, column).reduce(0) {
          $0 + (abs(Double($1.0)) * sw + abs(Double($1.1)) * sx) / 2 + sx * sw / 4
        }
        #expect(abs(Double(y[i * n + j]) - dot(row, column).sum) <= bound * (1 + 1e-5))
      }
    }
  }

  @Test(arguments: Kernels.available.indices, Precision.allCases)
  func resultsDoNotDependOnThreads(isa: Int, precision: Precision) {
    for size in [(203, 130, 96), (3, 130, 1700)] {
      let results = [1, 2, 5].map { product(Engine(kernels: Kernels.available[isa], threads: $0), size, precision).y }
      #expect(results[0] == results[1] && results[0] == results[2])
    }
  }

  @Test(arguments: Kernels.available.indices, Precision.allCases)
  func epiloguesAreThoseOfFloat32(isa: Int, precision: Precision) {
    let context = Context(Engine(kernels: Kernels.available[isa], threads: 1))
    // Small integers are the same in every precision where a row reaches from −127 to 127 and the largest weight is 64.
    let (m, n, k) = (15, 37, 20)
    let x = (0..<m * k).map { Float($0 % k == 3 ? 127 : $0 % k == 4 ? -127 : $0 * 7 % 9 - 4) },
      w = (0..<n * k).map { Float($0 % k == 5 ? 64 : $0 * 5 % 7 - 3) }
    var numbers = Numbers(1)
    let weight = Parameter("w", context.tensor(rows: n, columns: k, w)),
      bias = Parameter("b", context.tensor(rows: 1, columns: n, numbers(n)))
    let rows = context.tensor(rows: m, columns: k, x), residual = context.tensor(rows: m, columns: n, numbers(m * n))
    let expected = context.linear(rows, weight, bias: bias, then: .leakyReLU, scale: 0.5, plus: residual).values
    weight.prepare(in: context, precision: precision)
    let got = context.linear(rows, weight, bias: bias, then: .leakyReLU, scale: 0.5, plus: residual).values
    expectClose(got, expected.map(Double.init), within: 1e-6, "\(precision) on \(context.engine.kernels.name)")
  }

  @Test(arguments: Kernels.available.indices, Precision.allCases)
  func whatIsNotFiniteStaysInItsRow(isa: Int, precision: Precision) {
    let context = Context(Engine(kernels: Kernels.available[isa], threads: 1))
    let weight = Parameter("w", context.tensor(rows: 2, columns: 5, [1, 2, 3, 4, 5, 0, 0, 0, 0, 0]))
    weight.prepare(in: context, precision: precision)
    let x: [Float] = [1, 1, 1, 1, 1, .nan, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, .infinity, 1, 1]
    let y = context.linear(context.tensor(rows: 4, columns: 5, x), weight).values
    #expect(abs(y[0] - 15) < 0.1 && y[1] == 0)
    #expect(y[2].isNaN)
    #expect(y[4] == 0 && y[5] == 0)
    #expect(!y[6].isFinite)
  }

  @Test func gradientsFlowThroughTheFloat32Values() throws {
    let plain = Context(engines[0])
    var numbers = Numbers(4)
    let values = numbers(6 * 9)
    let trained = Parameter("t", plain.tensor(rows: 9, columns: 4, numbers(36)))
    let x = plain.tensor(rows: 3, columns: 4, numbers(12))
    let gradients = Precision.allCases.map { precision -> [Float] in
      let frozen = Parameter("w", plain.tensor(rows: 6, columns: 9, values)),
        sum = Parameter("s", plain.tensor(rows: 1, columns: 18, Array(repeating: 1, count: 18)))
      frozen.prepare(in: plain, precision: precision)
      let context = Context(engines[0], training: [trained])
      let y = context.reshaped(context.linear(context.linear(x, trained), frozen), rows: 1, columns: 18)
      return context.gradients(of: context.linear(y, sum))[trained]?.values ?? []
    }
    #expect(gradients[0].count == 36 && gradients[1] == gradients[0] && gradients[2] == gradients[0])
  }

  @Test func aTrainedWeightIsFloat32Again() {
    let context = Context(engines[0])
    let weight = Parameter("w", context.tensor(rows: 1, columns: 2, [1, 0.001]))
    weight.prepare(in: context, precision: .int8)
    weight.update(in: context) { $0[0] = 2 }
    #expect(context.linear(context.tensor(rows: 1, columns: 2, [1, 1]), weight).values == [2.001])
  }
}
