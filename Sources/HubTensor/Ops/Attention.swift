import CHubKernels

/// Keys and values that the queries of a sequence see besides the sequence's own, and before them, under a causal
/// mask too (prefix tuning, Li and Liang 2021).
public struct AttentionPrefixes: Sendable {
  /// `[rows, hidden]`, the prefixes one after another.
  public let keys: Tensor
  /// `[rows, hidden]`, a value for each of ``keys``.
  public let values: Tensor
  /// The rows of `keys` and `values` that come before each sequence; several sequences may have the same, or none.
  public let rows: [Range<Int>]
  /// What is added to the scores of each row of `keys`; nothing if `nil`.
  public let scores: [Float]?

  /// - Parameter keys: as many columns as the sequences' keys have; `values` has the same shape.
  public init(keys: Tensor, values: Tensor, rows: [Range<Int>], scores: [Float]? = nil) {
    precondition(scores.map { $0.count == keys.rows } ?? true)
    self.scores = scores
    precondition(values.rows == keys.rows && values.columns == keys.columns)
    precondition(rows.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= keys.rows })
    self.keys = keys
    self.values = values
    self.rows = rows
  }

  /// The rows of each sequence one after another.
  public init(keys: Tensor, values: Tensor, _ sequences: Sequences) {
    self.init(keys: keys, values: values, rows: (0..<sequences.count).map { sequences[$0] })
  }

  /// All rows before each of so many sequences.
  public init(keys: Tensor, values: Tensor, sharedBy sequences: Int) {
    self.init(keys: keys, values: values, rows: Array(repeating: 0..<keys.rows, count: sequences))
  }
}

extension Context {
  /// `softmax(Q·Kᵀ/√d + bias)·V` within each sequence, for each of `heads` slices of the columns (Vaswani et al. 2017).
  ///
  /// - Parameters:
  ///   - q: `[rows, heads · d]`; `k` and `v` have the same shape.
  ///   - causal: Whether a query sees no key after its own position.
  ///   - bias: `[heads · l, m]`, the matrices of all heads one below the other. A sequence takes of each as many rows as
  ///     it has and as many columns as it and its prefix have, from the first on.
  ///   - prefixes: Further keys and values.
  ///   - unseen: The rows that no query sees; not together with `bias`.
  public func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, in sequences: Sequences, heads: Int,
    causal: Bool = false, bias: Tensor? = nil, prefixes: AttentionPrefixes? = nil, unseen: Set<Int> = []
  ) -> Tensor {
    precondition(q.columns % heads == 0 && sequences.rows == q.rows && k.rows == q.rows && v.rows == q.rows)
    let plan = AttentionPlan(
      sequences: sequences, heads: heads, columns: q.columns, causal: causal, bias: bias, prefixes: prefixes,
      keyScores: keyScores(sequences, prefixes, unseen))
    let kernels = kernels
    var result = empty(q.rows, q.columns)
    plan.run(on: engine.workers, scratch: kernels.attention_scratch) { head, scratch in
      var shape = plan.shape(of: head)
      let first = plan.first(of: head)
      kernels.attention(result.block.base + first, q.base + first, k.base + first, v.base + first, &shape, scratch)
    }
    if isRecorded(q, k, v, bias, prefixes?.keys, prefixes?.values) {
      record(&result) { [unowned self] gradient, gradients in
        func sums(of tensor: Tensor?) -> Tensor? {
          tensor.flatMap { gradients.wants($0) ? zeros($0.rows, $0.columns) : nil }
        }
        let dq = empty(q.rows, q.columns), dk = empty(q.rows, q.columns), dv = empty(q.rows, q.columns)
        let dKeys = sums(of: prefixes?.keys), dValues = sums(of: prefixes?.values), dBias = sums(of: bias)
        let isSummed = dKeys != nil || dValues != nil || dBias != nil
        plan.run(on: engine.workers, sequencesInTurn: isSummed, scratch: kernels.attention_backward_scratch) {
          head, scratch in
          var shape = plan.shape(of: head)
          let first = plan.first(of: head), prefix = plan.firstOfPrefix(of: head)
          var slopes = hub_attention_gradients(
            q: dq.block.base + first, k: dk.block.base + first, v: dv.block.base + first,
            prefix_keys: dKeys.map { $0.block.base + prefix }, prefix_values: dValues.map { $0.block.base + prefix },
            bias: dBias.map { $0.block.base + plan.firstOfBias(of: head) })
          kernels.attention_backward(
            &slopes, gradient.base + first, q.base + first, k.base + first, v.base + first, &shape, scratch)
        }
        gradients.add(dq, to: q)
        gradients.add(dk, to: k)
        gradients.add(dv, to: v)
        for (sum, tensor) in [(dKeys, prefixes?.keys), (dValues, prefixes?.values), (dBias, bias)] {
          if let sum, let tensor { gradients.add(sum, to: tensor) }
        }
      }
    }
    return result
  }
}

extension Context {
  /// What is added to the scores of each key of each sequence, its prefix first: `[sequences, most keys]`; `nil` for nothing.
  fileprivate func keyScores(_ sequences: Sequences, _ prefixes: AttentionPrefixes?, _ unseen: Set<Int>) -> Tensor? {
    guard !unseen.isEmpty || prefixes?.scores != nil else { return nil }
    let all = (0..<sequences.count).map { index -> [Float] in
      let before = prefixes.map { prefixes in prefixes.rows[index].map { prefixes.scores?[$0] ?? 0 } } ?? []
      return before + sequences[index].map { unseen.contains($0) ? -1e9 : 0 }
    }
    let width = all.map(\.count).max() ?? 0
    return tensor(rows: all.count, columns: width, all.flatMap { $0 + Array(repeating: 0, count: width - $0.count) })
  }
}

/// What attention is taken over, and where each head of each sequence finds its part.
private struct AttentionPlan {
  struct Head {
    let sequence: Int
    let index: Int
  }

  let sequences: Sequences
  let heads: Int
  let columns: Int
  let causal: Bool
  let bias: Tensor?
  let prefixes: AttentionPrefixes?
  let keyScores: Tensor?

  init(
    sequences: Sequences, heads: Int, columns: Int, causal: Bool, bias: Tensor?, prefixes: AttentionPrefixes?,
    keyScores: Tensor?
  ) {
    precondition(bias == nil || keyScores == nil)
    self.keyScores = keyScores
    self.sequences = sequences
    self.heads = heads
    self.columns = columns
    self.causal = causal
    self.bias = bias
    self.prefixes = prefixes
    precondition(prefixes.map { $0.rows.count == sequences.count && $0.keys.columns == columns } ?? true)
    precondition(bias.map { $0.rows % heads == 0 } ?? true)
    for sequence in 0..<sequences.count {
      let rows = sequences[sequence].count
      precondition(bias.map { $0.rows >= heads * rows && $0.columns >= prefix(of: sequence).count + rows } ?? true)
    }
  }

  func prefix(of sequence: Int) -> Range<Int> { prefixes?.rows[sequence] ?? 0..<0 }

  /// The first element of a head's queries; of its keys, values and result too.
  func first(of head: Head) -> Int { sequences[head.sequence].lowerBound * columns + head.index * (columns / heads) }
  func firstOfPrefix(of head: Head) -> Int {
    prefix(of: head.sequence).lowerBound * columns + head.index * (columns / heads)
  }
  func firstOfBias(of head: Head) -> Int { bias.map { $0.rows / heads * $0.columns * head.index } ?? 0 }

  func shape(of head: Head) -> hub_attention_shape {
    let width = columns / heads, prefix = firstOfPrefix(of: head)
    return hub_attention_shape(
      rows: sequences[head.sequence].count, head_width: width, stride: columns, scale: 1 / Float(width).squareRoot(),
      causal: causal ? 1 : 0,
      prefix: self.prefix(of: head.sequence).count, prefix_keys: prefixes.map { $0.keys.base + prefix },
      prefix_values: prefixes.map { $0.values.base + prefix },
      // A stride of zero gives all queries the same row.
      bias: bias.map { $0.base + firstOfBias(of: head) } ?? keyScores.map { $0.base + head.sequence * $0.columns },
      bias_stride: bias?.columns ?? 0)
  }

  /// Calls `body` with scratch memory for each head of each sequence that is not empty.
  ///
  /// - Parameter sequencesInTurn: Whether a head has all its sequences one after another, so that they may add to one sum.
  func run(
    on workers: Workers, sequencesInTurn: Bool = false, scratch: (Int, Int, Int) -> Int,
    _ body: (Head, UnsafeMutablePointer<Float>) -> Void
  ) {
    let longest = (0..<sequences.count).map { sequences[$0].count }.max() ?? 0
    let longestPrefix = prefixes?.rows.map(\.count).max() ?? 0
    func visit(_ sequence: Int, _ index: Int, _ memory: UnsafeMutablePointer<Float>) {
      if !sequences[sequence].isEmpty { body(Head(sequence: sequence, index: index), memory) }
    }
    let size = scratch(longest, longestPrefix, columns / heads)
    if sequencesInTurn {
      workers.run(heads, scratch: size) { index, memory in
        for sequence in 0..<sequences.count { visit(sequence, index, memory) }
      }
    } else {
      workers.run(sequences.count * heads, scratch: size) { index, memory in visit(index / heads, index % heads, memory)
      }
    }
  }
}
