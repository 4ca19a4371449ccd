import CHubKernels

/// What kind of attention it is, whatever it is taken over.
public struct AttentionForm: Sendable {
  /// How many slices of the query's columns attend by themselves.
  public var heads: Int
  /// How many slices the keys and values have; each serves as many heads (grouped queries, Ainslie et al. 2023).
  public var keyHeads: Int
  /// What scores are multiplied by; `1/√d` if `nil`.
  public var scale: Float?
  /// Whether a query sees no key after its own position. The queries of a sequence are the last of its keys.
  public var isCausal: Bool
  /// With ``isCausal``: how many keys a query sees, its own the last. A prefix is always seen.
  public var window: Int?

  /// - Parameters:
  ///   - keyHeads: must divide `heads`; as many if `nil`
  ///   - window: all if `nil`
  public init(
    heads: Int, keyHeads: Int? = nil, scale: Float? = nil, isCausal: Bool = false, window: Int? = nil
  ) {
    self.heads = heads
    self.keyHeads = keyHeads ?? heads
    self.scale = scale
    self.isCausal = isCausal
    self.window = window
  }
}

/// What is added to the scaled scores.
public struct AttentionBias: Sendable {
  /// One matrix `[queries, keys]` below the other.
  public let matrices: Tensor
  /// Whether each sequence has matrices of its own, or all have the same.
  public let isPerSequence: Bool
  /// The position of the query that the first row of each matrix is for.
  public let firstPosition: Int

  /// - Parameters:
  ///   - matrices: `[heads * l, m]`. A sequence takes of each as many rows as it has, from the position of its first
  ///     query on, and as many columns as it and its prefix have.
  ///   - firstPosition: the position of the query that the first row is for
  public init(_ matrices: Tensor, from firstPosition: Int = 0) {
    self.matrices = matrices
    self.firstPosition = firstPosition
    isPerSequence = false
  }

  /// - Parameter matrices: `[sequences * heads * l, m]`: the matrices of the first sequence's heads, then of the
  ///   second's
  public init(perSequence matrices: Tensor) {
    self.matrices = matrices
    firstPosition = 0
    isPerSequence = true
  }
}

extension Context {
  /// `softmax(scale · Q·Kᵀ + bias)·V` within each sequence, for each head's slice of the columns (Vaswani et al. 2017).
  ///
  /// - Parameters:
  ///   - q: `[rows, heads · d]`
  ///   - k: `[key rows, key heads · d]`; `v` has the same shape.
  ///   - sequences: those of the queries
  ///   - keys: the rows of `k` and `v` that each sequence sees; those of its queries if `nil`
  ///   - prefixes: Further keys and values.
  ///   - unseen: The rows of `k` that no query sees; not together with `bias`.
  public func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ form: AttentionForm, in sequences: Sequences,
    over keys: [Range<Int>]? = nil,
    bias: AttentionBias? = nil, prefixes: AttentionPrefixes? = nil, unseen: Set<Int> = []
  ) -> Tensor {
    let plan = AttentionPlan(
      form, q, k, v, sequences, keys ?? (0..<sequences.count).map { sequences[$0] }, bias, prefixes,
      keyScores: { self.keyScores($0, prefixes, unseen) })
    let kernels = kernels
    var result = empty(q.rows, q.columns)
    plan.run(on: engine.workers, scratch: kernels.attention_scratch) { head, scratch in
      var shape = plan.shape(of: head)
      let first = plan.first(of: head), key = plan.firstKey(of: head)
      kernels.attention(result.block.base + first, q.base + first, k.base + key, v.base + key, &shape, scratch)
    }
    if isRecorded(q, k, v, bias?.matrices, prefixes?.keys, prefixes?.values) {
      record(&result) { [unowned self] gradient, gradients in
        attentionGradients(gradient, plan, q, k, v, gradients)
      }
    }
    return result
  }

  private func attentionGradients(
    _ gradient: Tensor, _ plan: AttentionPlan, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ gradients: Gradients
  ) {
    func sums(of tensor: Tensor?) -> Tensor? {
      tensor.flatMap { gradients.wants($0) ? zeros($0.rows, $0.columns) : nil }
    }
    precondition(plan.keysAreDistinct, "gradients of keys that several sequences share are not summed")
    let kernels = kernels, prefixes = plan.prefixes, bias = plan.bias?.matrices
    // A slice of the keys that serves several heads has a gradient from each. What no sequence sees has none.
    let dq = empty(q.rows, q.columns), dk = zeros(k.rows, q.columns), dv = zeros(k.rows, q.columns)
    let dKeys = sums(of: prefixes?.keys), dValues = sums(of: prefixes?.values), dBias = sums(of: bias)
    let isSummed = dKeys != nil || dValues != nil || dBias != nil
    plan.run(on: engine.workers, inTurn: isSummed, scratch: kernels.attention_backward_scratch) { head, scratch in
      var shape = plan.shape(of: head)
      let first = plan.first(of: head), key = plan.firstKey(of: head), prefix = plan.firstOfPrefix(of: head)
      let slope = plan.firstKeyGradient(of: head)
      var slopes = hub_attention_gradients(
        q: dq.block.base + first, k: dk.block.base + slope, v: dv.block.base + slope, key_stride: q.columns,
        prefix_keys: dKeys.map { $0.block.base + prefix }, prefix_values: dValues.map { $0.block.base + prefix },
        bias: dBias.map { $0.block.base + plan.firstOfBias(of: head) })
      kernels.attention_backward(
        &slopes, gradient.base + first, q.base + first, k.base + key, v.base + key, &shape, scratch)
    }
    gradients.add(dq, to: q)
    gradients.add(summed(dk, plan.form), to: k)
    gradients.add(summed(dv, plan.form), to: v)
    for (sum, tensor) in [(dKeys, prefixes?.keys), (dValues, prefixes?.values), (dBias, bias)] {
      if let sum, let tensor { gradients.add(sum, to: tensor) }
    }
  }

  /// `[rows, heads · d]` to `[rows, key heads · d]`: the sum over the heads that share a slice.
  private func summed(_ slopes: Tensor, _ form: AttentionForm) -> Tensor {
    guard form.keyHeads < form.heads else { return slopes }
    let width = slopes.columns / form.heads, group = form.heads / form.keyHeads
    let sums = zeros(slopes.rows, form.keyHeads * width)
    for row in 0..<slopes.rows {
      for head in 0..<form.heads {
        kernels.add_scaled(
          sums.block.base + row * sums.columns + head / group * width,
          slopes.base + row * slopes.columns + head * width, 1, width)
      }
    }
    return sums
  }

  /// What is added to the scores of each key of each sequence, its prefix first: `[sequences, most keys]`; `nil` for
  /// nothing.
  private func keyScores(_ keys: [Range<Int>], _ prefixes: AttentionPrefixes?, _ unseen: Set<Int>) -> Tensor? {
    guard !unseen.isEmpty || prefixes?.scores != nil else { return nil }
    let all = keys.enumerated().map { index, rows -> [Float] in
      let before = prefixes.map { prefixes in prefixes.rows[index].map { prefixes.scores?[$0] ?? 0 } } ?? []
      return before + rows.map { unseen.contains($0) ? -1e9 : 0 }
    }
    let width = all.map(\.count).max() ?? 0
    return tensor(rows: all.count, columns: width, all.flatMap { $0 + Array(repeating: 0, count: width - $0.count) })
  }
}
