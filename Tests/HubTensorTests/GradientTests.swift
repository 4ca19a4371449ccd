import HubTensor
import Testing

/// Every operation's derivative against finite differences of its own forward pass.
@Suite struct GradientTests {
  /// Compares the gradient of `Σ weights · f` for every element of every parameter.
  private func check(_ shapes: [(Int, Int)], _ what: String, _ f: (Context, [Parameter]) -> Tensor) {
    for engine in engines where engine.workers.count == 1 {
      var numbers = Numbers(shapes.count * 17 + shapes[0].0)
      let setup = Context(engine)
      let parameters = shapes.enumerated().map { index, shape in
        Parameter("p\(index)", setup.tensor(rows: shape.0, columns: shape.1, numbers(shape.0 * shape.1)))
      }
      let plain = f(setup, parameters)
      let weights = Parameter("weights", setup.tensor(rows: 1, columns: plain.count, numbers(plain.count)))
      func total() -> Double {
        let context = Context(engine)
        return zip(f(context, parameters).values, weights.value.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      let recording = Context(engine, training: parameters)
      let result = f(recording, parameters)
      #expect(result.values == plain.values, "\(what): the same forward pass, recorded and not")
      let gradients = recording.gradients(
        of: recording.linear(recording.reshaped(result, rows: 1, columns: result.count), weights))
      for parameter in parameters {
        let got = gradients[parameter]?.values ?? Array(repeating: 0, count: parameter.count)
        let expected = (0..<parameter.count).map { index in slope(of: total, parameter, index, setup) }
        expectClose(got, expected, within: 4e-3, "\(what), gradient of \(parameter.name) on \(engine.kernels.name)")
      }
    }
  }

  private func slope(of total: () -> Double, _ parameter: Parameter, _ index: Int, _ context: Context) -> Double {
    let step: Float = 1e-2
    func moved(_ distance: Float) -> Double {
      parameter.update(in: context) { $0[index] += distance }
      defer { parameter.update(in: context) { $0[index] -= distance } }
      return total()
    }
    // The third-order rule: truncation is far below what float32 sums lose.
    return (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * Double(step))
  }

  /// A parameter as a tensor that gradients flow to: identity · pᵀ.
  private func tensor(_ context: Context, _ p: Parameter) -> Tensor {
    let identity = (0..<p.columns * p.columns).map { Float($0 / p.columns == $0 % p.columns ? 1 : 0) }
    return transposed(context, context.linear(context.tensor(rows: p.columns, columns: p.columns, identity), p), p)
  }

  /// Rows become columns by picking: row i is column i of the transposed tensor, so a second selection restores `p`.
  private func transposed(_ context: Context, _ x: Tensor, _ p: Parameter) -> Tensor {
    let rows = (0..<p.rows).map { context.reshaped(context.columns(x, $0..<$0 + 1), rows: 1, columns: p.columns) }
    return context.reshaped(rows.dropFirst().reduce(rows[0], context.joined), rows: p.rows, columns: p.columns)
  }

  @Test(arguments: Activation.allCases)
  func linear(activation: Activation) {
    check([(3, 5), (4, 5), (1, 4), (3, 4)], "linear with \(activation)") { context, p in
      context.linear(tensor(context, p[0]), p[1], bias: p[2], then: activation, scale: 0.5, plus: tensor(context, p[3]))
    }
  }

  @Test(arguments: Activation.allCases)
  func activations(activation: Activation) {
    check([(3, 7)], "\(activation)") { context, p in context.activate(tensor(context, p[0]), activation) }
  }

  @Test func bottleneck() {
    check([(3, 5), (2, 5), (1, 2), (5, 2), (1, 5), (3, 5)], "bottleneck") { context, p in
      context.bottleneck(
        tensor(context, p[0]), down: (p[1], p[2]), up: (p[3], p[4]), then: .tanh, scale: 0.5,
        plus: tensor(context, p[5]))
    }
  }

  @Test func layerNorm() {
    check([(3, 9), (3, 9), (1, 9), (1, 9)], "layer norm") { context, p in
      context.layerNorm(tensor(context, p[0]), plus: tensor(context, p[1]), gain: p[2], bias: p[3], epsilon: 1e-3)
    }
  }

  @Test func rmsNorm() {
    check([(3, 9), (3, 9), (1, 9)], "RMS norm") { context, p in
      context.rmsNorm(tensor(context, p[0]), plus: tensor(context, p[1]), gain: p[2], epsilon: 1e-3)
    }
  }

  @Test func attention() {
    check([(5, 6), (5, 6), (5, 6)], "attention") { context, p in
      context.attention(
        tensor(context, p[0]), tensor(context, p[1]), tensor(context, p[2]), AttentionForm(heads: 2),
        in: Sequences(lengths: [2, 3]))
    }
  }

  @Test func attentionVariants() {
    let sequences = Sequences(lengths: [2, 3])
    check([(5, 6), (5, 6), (5, 6), (6, 5)], "causal attention with a bias") { context, p in
      let t = p.map { tensor(context, $0) }
      return context.attention(
        t[0], t[1], t[2], AttentionForm(heads: 2, isCausal: true), in: sequences, bias: AttentionBias(t[3]))
    }
    check([(5, 6), (5, 6), (5, 6), (4, 6), (4, 6), (6, 7)], "attention with prefixes and a bias") { context, p in
      let t = p.map { tensor(context, $0) }
      let prefixes = AttentionPrefixes(keys: t[3], values: t[4], rows: [0..<1, 1..<4])
      return context.attention(
        t[0], t[1], t[2], AttentionForm(heads: 2), in: sequences, bias: AttentionBias(t[5]), prefixes: prefixes)
    }
    check([(5, 6), (5, 6), (5, 6), (4, 6), (4, 6)], "causal attention with a shared prefix") { context, p in
      let t = p.map { tensor(context, $0) }
      return context.attention(
        t[0], t[1], t[2], AttentionForm(heads: 2, isCausal: true), in: sequences,
        prefixes: AttentionPrefixes(keys: t[3], values: t[4], sharedBy: sequences.count))
    }
  }

  @Test func attentionOverOtherKeys() {
    let sequences = Sequences(lengths: [2, 3])
    check([(5, 6), (9, 6), (9, 6)], "attention over the rows of another text") { context, p in
      let t = p.map { tensor(context, $0) }
      return context.attention(t[0], t[1], t[2], AttentionForm(heads: 2), in: sequences, over: [5..<9, 0..<4])
    }
    check([(5, 8), (9, 4), (9, 4), (3, 4), (3, 4)], "grouped queries that are the last of their keys, in a window") {
      context, p in
      let t = p.map { tensor(context, $0) },
        form = AttentionForm(heads: 4, keyHeads: 2, scale: 0.3, isCausal: true, window: 2)
      return context.attention(
        t[0], t[1], t[2], form, in: sequences, over: [0..<4, 4..<9],
        prefixes: AttentionPrefixes(keys: t[3], values: t[4], sharedBy: 2))
    }
    check([(5, 6), (5, 6), (5, 6), (12, 3)], "attention with a bias of each sequence's own") { context, p in
      let t = p.map { tensor(context, $0) }
      return context.attention(
        t[0], t[1], t[2], AttentionForm(heads: 2), in: sequences, bias: AttentionBias(perSequence: t[3]))
    }
  }

  @Test func rotation() {
    check([(3, 8)], "rotation") { context, p in
      context.rotated(
        tensor(context, p[0]), by: Rotation([0, 5, 2], frequencies: [1, 0.1], scale: 1.2, in: context), heads: 2)
    }
  }

  @Test func fusion() {
    check([(3, 5), (3, 5), (3, 5), (3, 5)], "fusion") { context, p in
      let t = p.map { tensor(context, $0) }
      return context.fuse(t[0], [t[1], t[2]], plus: t[3], temperature: 1.5)
    }
  }

  @Test func wayBackThroughALayer() {
    check([(3, 4), (4, 5)], "transposed linear") { context, p in
      context.linear(tensor(context, p[0]), transposing: p[1])
    }
  }

  @Test func selections() {
    check([(4, 5), (4, 3)], "columns, rows, joined, sums") { context, p in
      let x = context.joined(tensor(context, p[0]), tensor(context, p[1]))
      let y = context.rows(context.columns(x, 2..<7), [3, 0, 3])
      return context.add(y, context.rows(context.columns(x, 1..<6), [1, 2, 0]))
    }
  }

  @Test func stackedRows() {
    check([(4, 3), (2, 3)], "rows, stacked, repeated, scaled") { context, p in
      let x = context.stacked([context.rows(tensor(context, p[0]), 1..<3), tensor(context, p[1])])
      return context.scaled(context.repeated(x, 2), by: -1.5)
    }
  }

  @Test func learnedScaling() {
    check([(3, 4), (1, 1)], "scalar") { context, p in context.multiply(tensor(context, p[0]), by: p[1]) }
    check([(3, 4), (1, 4)], "channels") { context, p in context.multiply(tensor(context, p[0]), by: p[1]) }
  }

  @Test func crossEntropy() {
    check([(4, 3)], "cross entropy") { context, p in
      context.crossEntropy(tensor(context, p[0]), labels: [2, nil, 0, 1])
    }
  }

  @Test func nothingIsRecordedBelowTheTrainedParameters() throws {
    let engine = engines[0]
    let plain = Context(engine)
    let frozen = Parameter("frozen", plain.tensor(rows: 2, columns: 2, [1, 2, 3, 4]))
    let trained = Parameter("trained", plain.tensor(rows: 2, columns: 2, [1, 0, 0, 1]))
    let context = Context(engine, training: [trained])
    let x = context.linear(context.tensor(rows: 1, columns: 2, [1, 1]), frozen)
    let loss = context.crossEntropy(context.linear(x, trained), labels: [0])
    let gradients = context.gradients(of: loss)
    #expect(gradients[frozen] == nil)
    #expect(try #require(gradients[trained]).count == 4)
  }
}
