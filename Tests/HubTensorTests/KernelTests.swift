import Foundation
import HubTensor
import Testing

/// Every instruction set against plain loops in Double, at sizes that leave every kind of rest.
@Suite struct KernelTests {
  static let sizes = [
    (1, 1, 1), (2, 3, 5), (7, 8, 9), (15, 16, 17), (13, 33, 31), (29, 64, 768), (3, 100, 1024), (170, 40, 33),
    (33, 31, 1537),
  ]

  @Test(arguments: engines.indices, sizes)
  func linearMatchesPlainLoops(engine: Int, size: (Int, Int, Int)) {
    let (m, n, k) = size
    var numbers = Numbers(m * 31 + n * 7 + k)
    let context = Context(engines[engine])
    let x = numbers(m * k), w = numbers(n * k), b = numbers(n), r = numbers(m * n)
    let weight = Parameter("w", context.tensor(rows: n, columns: k, w)),
      bias = Parameter("b", context.tensor(rows: 1, columns: n, b))
    let y = context.linear(
      context.tensor(rows: m, columns: k, x), weight, bias: bias, then: .tanh, scale: 0.5,
      plus: context.tensor(rows: m, columns: n, r))
    var expected: [Double] = []
    for i in 0..<m {
      for j in 0..<n {
        let sum = (0..<k).reduce(Double(b[j])) { $0 + Double(x[i * k + $1]) * Double(w[j * k + $1]) }
        expected.append(tanh(sum) * 0.5 + Double(r[i * n + j]))
      }
    }
    expectClose(y.values, expected, within: 2e-5, "linear \(size) on \(context.engine.kernels.name)")
  }

  /// What is not a number stays that, at each place of a vector and after the last whole one.
  @Test(arguments: engines.indices)
  func whatIsNoNumberStaysThat(engine: Int) {
    let context = Context(engines[engine])
    for place in [0, 5, 15, 16, 36] {
      var x = [Float](repeating: 0.5, count: 37)
      x[place] = .nan
      for activation in [Activation.relu, .gelu, .geluTanh, .silu, .tanh, .sigmoid, .leakyReLU, .elu] {
        let y = context.activate(context.tensor(rows: 1, columns: 37, x), activation).values
        #expect(y.indices.filter { y[$0].isNaN } == [place], "\(activation) on \(context.engine.kernels.name)")
      }
    }
  }

  @Test(arguments: engines.indices)
  func resultsDoNotDependOnThreads(engine: Int) {
    let kernels = engines[engine].kernels
    var numbers = Numbers(5)
    let x = numbers(203 * 96), w = numbers(130 * 96)
    let results = [1, 2, 5].map { threads in
      let context = Context(Engine(kernels: kernels, threads: threads))
      let weight = Parameter("w", context.tensor(rows: 130, columns: 96, w))
      return context.linear(context.tensor(rows: 203, columns: 96, x), weight, then: .gelu).values
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  /// Block by block of rows, both projections at once: the same bits as one projection after the other.
  @Test(arguments: engines.indices, [7, 200, 600])
  func bottlenecksAreTheirProjections(engine: Int, rows: Int) {
    let context = Context(engines[engine])
    var numbers = Numbers(rows)
    let x = context.tensor(rows: rows, columns: 33, numbers(rows * 33)),
      residual = context.tensor(rows: rows, columns: 33, numbers(rows * 33))
    let down = Parameter("down", context.tensor(rows: 17, columns: 33, numbers(17 * 33))),
      up = Parameter("up", context.tensor(rows: 33, columns: 17, numbers(33 * 17)))
    let bias = Parameter("bias", context.tensor(rows: 1, columns: 17, numbers(17)))
    let fused = context.bottleneck(x, down: (down, bias), up: (up, nil), then: .gelu, scale: 2, plus: residual)
    #expect(
      fused.values
        == context.linear(context.linear(x, down, bias: bias, then: .gelu), up, scale: 2, plus: residual).values)
  }

  @Test(arguments: engines.indices, Activation.allCases)
  func activationsMatchTheirDefinitions(engine: Int, activation: Activation) {
    let context = Context(engines[engine])
    let xs = (0...4001).map { Float($0 - 2000) / 100 } + [0, -0.0, 1e-20, 88, -88, 1e5, -1e5]
    let got = context.activate(context.tensor(rows: 1, columns: xs.count, xs), activation).values
    expectClose(
      got, xs.map { Self.reference(Double($0), activation) }, within: 2e-6,
      "\(activation) on \(context.engine.kernels.name)"
    )
  }

  static func reference(_ x: Double, _ activation: Activation) -> Double {
    switch activation {
    case .identity: x
    case .relu: max(0, x)
    case .gelu: 0.5 * x * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    case .tanh: tanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .leakyReLU: x > 0 ? x : 0.01 * x
    case .elu: x > 0 ? x : expm1(x)
    case .quickGELU: x / (1 + exp(-1.702 * x))
    case .mish: x * tanh(x > 30 ? x : log1p(exp(x)))
    case .reluSquared: max(0, x) * max(0, x)
    case .relu6: min(6, max(0, x))
    case .laplace: 0.5 * (1 + erf((x - 0.707107) / (0.282095 * 2.0.squareRoot())))
    case .gelu10: min(10, 0.5 * x * (1 + erf(x / 2.0.squareRoot())))
    }
  }

  @Test(arguments: engines.indices, [1, 7, 16, 33, 130])
  func layerNormMatchesItsDefinition(engine: Int, width: Int) {
    let context = Context(engines[engine])
    var numbers = Numbers(width)
    let x = numbers(5 * width).map { $0 + 3 }, r = numbers(5 * width), gain = numbers(width), bias = numbers(width)
    let y = context.layerNorm(
      context.tensor(rows: 5, columns: width, x), plus: context.tensor(rows: 5, columns: width, r),
      gain: Parameter("g", context.tensor(rows: 1, columns: width, gain)),
      bias: Parameter("b", context.tensor(rows: 1, columns: width, bias)), epsilon: 1e-5)
    var expected: [Double] = []
    for row in 0..<5 {
      let z = (0..<width).map { Double(x[row * width + $0]) + Double(r[row * width + $0]) }
      let mean = z.reduce(0, +) / Double(width)
      let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      expected += (0..<width).map {
        (z[$0] - mean) / (variance + 1e-5).squareRoot() * Double(gain[$0]) + Double(bias[$0])
      }
    }
    expectClose(y.values, expected, within: 1e-5, "layer norm of \(width) on \(context.engine.kernels.name)")
  }

  @Test(arguments: engines.indices, [1, 7, 16, 33, 130])
  func rmsNormMatchesItsDefinition(engine: Int, width: Int) {
    let context = Context(engines[engine])
    var numbers = Numbers(width)
    let x = numbers(5 * width).map { $0 + 3 }, r = numbers(5 * width), gain = numbers(width)
    let tensor = context.tensor(rows: 5, columns: width, x),
      gains = Parameter("g", context.tensor(rows: 1, columns: width, gain))
    func expected(_ z: [Double]) -> [Double] {
      (0..<5).flatMap { row in
        let z = z[row * width..<(row + 1) * width]
        let mean = z.reduce(0) { $0 + $1 * $1 } / Double(width)
        return zip(z, gain).map { $0 / (mean + 1e-5).squareRoot() * Double($1) }
      }
    }
    let name = "RMS norm of \(width) on \(context.engine.kernels.name)"
    expectClose(
      context.rmsNorm(tensor, gain: gains, epsilon: 1e-5).values, expected(x.map(Double.init)), within: 1e-5, name)
    let sums = context.rmsNorm(tensor, plus: context.tensor(rows: 5, columns: width, r), gain: gains, epsilon: 1e-5)
    expectClose(
      sums.values, expected(zip(x, r).map { Double($0) + Double($1) }), within: 1e-5, "\(name), with a residual")
  }

  /// One sequence is longer than a block of keys, one head wider than a range of depth.
  static let attentions: [(lengths: [Int], heads: Int, width: Int)] = [
    ([1], 3, 5), ([3, 1, 18], 3, 5), ([70, 5], 3, 5), ([33], 2, 64), ([2, 300], 1, 3), ([3], 1, 801),
  ]

  /// What attention is asked for besides queries, keys and values.
  struct Variant: Sendable {
    var causal = false
    var hasBias = false
    /// Rows of the first sequence's prefix; each further sequence has seven fewer, if they do not share it.
    var prefix = 0
    var isShared = false

    func prefix(of sequence: Int) -> Range<Int> {
      let first = isShared ? 0 : (0..<sequence).reduce(0) { $0 + max(0, prefix - 7 * $1) }
      return first..<first + (isShared ? prefix : max(0, prefix - 7 * sequence))
    }
  }

  static let variants = [
    Variant(), Variant(causal: true), Variant(hasBias: true), Variant(prefix: 9),
    Variant(causal: true, hasBias: true, prefix: 5, isShared: true),
    Variant(causal: true, hasBias: true, prefix: 301),
  ]

  @Test(arguments: attentions, variants)
  func attentionMatchesItsDefinition(shape: (lengths: [Int], heads: Int, width: Int), variant: Variant) {
    let (lengths, heads, width) = shape, columns = heads * width
    let sequences = Sequences(lengths: lengths), rows = sequences.rows, longest = lengths.max() ?? 0
    let prefixes = lengths.indices.map(variant.prefix), prefixRows = prefixes.map(\.upperBound).max() ?? 0
    let biasColumns = longest + variant.prefix + 2
    var numbers = Numbers(rows)
    let q = numbers(rows * columns), k = numbers(rows * columns), v = numbers(rows * columns)
    let prefixKeys = numbers(prefixRows * columns), prefixValues = numbers(prefixRows * columns)
    let bias = numbers(heads * longest * biasColumns)
    var expected = [Double](repeating: 0, count: rows * columns)
    for sequence in lengths.indices {
      let own = sequences[sequence], prefix = prefixes[sequence]
      for head in 0..<heads {
        let slice = head * width..<(head + 1) * width
        for i in own {
          let keys =
            prefix.map { ($0, prefixKeys, prefixValues) } + own.filter { !variant.causal || $0 <= i }.map { ($0, k, v) }
          var powers: [Double] = []
          for (j, (row, key, _)) in keys.enumerated() {
            var score = 0.0
            for c in slice { score += Double(q[i * columns + c]) * Double(key[row * columns + c]) }
            score /= Double(width).squareRoot()
            if variant.hasBias { score += Double(bias[(head * longest + i - own.lowerBound) * biasColumns + j]) }
            powers.append(exp(score))
          }
          let sum = powers.reduce(0, +)
          for (p, (row, _, value)) in zip(powers, keys) {
            for c in slice { expected[i * columns + c] += p / sum * Double(value[row * columns + c]) }
          }
        }
      }
    }
    var results: [String: [Float]] = [:]
    for engine in engines {
      let context = Context(engine), name = engine.kernels.name
      func tensor(_ values: [Float]) -> Tensor {
        context.tensor(rows: values.count / columns, columns: columns, values)
      }
      let y = context.attention(
        tensor(q), tensor(k), tensor(v), AttentionForm(heads: heads, isCausal: variant.causal), in: sequences,
        bias: variant.hasBias
          ? AttentionBias(context.tensor(rows: heads * longest, columns: biasColumns, bias)) : nil,
        prefixes: variant.prefix > 0
          ? AttentionPrefixes(keys: tensor(prefixKeys), values: tensor(prefixValues), rows: prefixes) : nil
      ).values
      expectClose(y, expected, within: 1e-5, "attention over \(shape), \(variant), on \(name)")
      #expect(y == results[name, default: y], "the same for any number of threads")
      results[name] = y
    }
  }

  @Test(arguments: Kernels.available.indices)
  func gradientsOfAttentionDoNotDependOnThreads(isa: Int) {
    var numbers = Numbers(9)
    let x = numbers(23 * 12), prefix = numbers(5 * 12), weights = numbers(12 * 12), bias = numbers(3 * 11 * 12),
      biasWeights = numbers(16 * 12), slopes = numbers(23 * 12)
    let results = [1, 2, 5].map { threads in
      let engine = Engine(kernels: Kernels.available[isa], threads: threads), setup = Context(engine)
      let weight = Parameter("w", setup.tensor(rows: 12, columns: 12, weights)),
        biasWeight = Parameter("b", setup.tensor(rows: 16, columns: 12, biasWeights))
      let slope = Parameter("s", setup.tensor(rows: 1, columns: 23 * 12, slopes))
      let context = Context(engine, training: [weight, biasWeight])
      let rows = context.linear(context.tensor(rows: 23, columns: 12, x), weight),
        prefixes = context.linear(context.tensor(rows: 5, columns: 12, prefix), weight)
      let y = context.attention(
        rows, rows, rows, AttentionForm(heads: 3, isCausal: true), in: Sequences(lengths: [11, 3, 9]),
        bias: AttentionBias(context.linear(context.tensor(rows: 33, columns: 12, bias), biasWeight)),
        prefixes: AttentionPrefixes(keys: prefixes, values: prefixes, sharedBy: 3))
      let gradients = context.gradients(of: context.linear(context.reshaped(y, rows: 1, columns: y.count), slope))
      return [gradients[weight]?.values, gradients[biasWeight]?.values]
    }
    #expect(results[0].allSatisfy { $0 != nil } && results[0] == results[1] && results[0] == results[2])
  }

  @Test(arguments: engines.indices)
  func fusionMatchesItsDefinition(engine: Int) {
    let context = Context(engines[engine])
    let rows = 4, width = 19, count = 3
    var numbers = Numbers(3)
    let q = numbers(rows * width), r = numbers(rows * width)
    let inputs = (0..<count).map { _ in numbers(rows * width) }
    func tensor(_ x: [Float]) -> Tensor { context.tensor(rows: rows, columns: width, x) }
    let y = context.fuse(tensor(q), inputs.map(tensor), plus: tensor(r), temperature: 2)
    var expected = r.map(Double.init)
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let powers = inputs.map { x in exp(range.reduce(0.0) { $0 + Double(q[$1]) * Double(x[$1]) } / 2) }
      for (p, x) in zip(powers, inputs) { for i in range { expected[i] += p / powers.reduce(0, +) * Double(x[i]) } }
    }
    expectClose(y.values, expected, within: 1e-5, "fusion on \(context.engine.kernels.name)")
  }

  @Test func theMachinesLimitsAreMeasured() {
    for kernels in Kernels.available {
      for precision in Precision.allCases {
        #expect(kernels.peak(precision, tries: 1).isFinite && kernels.peak(precision, tries: 1) > 1e6)
      }
    }
    #expect(Engine(kernels: Kernels.available[0], threads: 2).memoryBandwidth(megabytes: 8, tries: 1) > 1e6)
  }

  /// Threads end with their engine, also when it goes before they have begun.
  @Test func enginesComeAndGo() {
    for count in 0..<200 {
      let context = Context(Engine(kernels: Kernels.available[0], threads: 1 + count % 5))
      if count % 2 == 0 { #expect(context.activate(context.tensor(rows: 1, columns: 1, [1]), .relu).values == [1]) }
    }
  }

  @Test func anUnknownInstructionSetIsRefused() throws {
    #expect(throws: (any Error).self) { try Kernels.named("abacus") }
    #expect(try Kernels.named("portable").name == "portable")
    #expect(try Kernels.named(nil).name == Kernels.available[0].name)
  }
}
