import CHubKernels

/// What attention is taken over, and where each head of each sequence finds its part.
struct AttentionPlan {
  struct Head {
    let sequence: Int
    let index: Int
  }

  let form: AttentionForm
  let bias: AttentionBias?
  let prefixes: AttentionPrefixes?
  private let sequences: Sequences
  private let keys: [Range<Int>]
  private let width: Int
  private let columns: (queries: Int, keys: Int)
  private let keyScores: Tensor?

  init(
    _ form: AttentionForm, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ sequences: Sequences, _ keys: [Range<Int>],
    _ bias: AttentionBias?, _ prefixes: AttentionPrefixes?, keyScores: ([Range<Int>]) -> Tensor?
  ) {
    self.form = form
    self.sequences = sequences
    self.keys = keys
    self.bias = bias
    self.prefixes = prefixes
    self.keyScores = keyScores(keys)
    width = q.columns / form.heads
    columns = (q.columns, k.columns)
    precondition(q.columns % form.heads == 0 && form.heads % form.keyHeads == 0 && sequences.rows == q.rows)
    precondition(k.columns == form.keyHeads * width && v.columns == k.columns && v.rows == k.rows)
    precondition(keys.count == sequences.count && keys.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= k.rows })
    precondition(bias == nil || self.keyScores == nil)
    precondition(prefixes.map { $0.rows.count == sequences.count && $0.keys.columns == k.columns } ?? true)
    for sequence in 0..<sequences.count where !sequences[sequence].isEmpty {
      precondition(!form.isCausal || keys[sequence].count >= sequences[sequence].count)
      precondition(
        bias.map {
          firstRowOfBias(of: sequence) >= 0 && firstRowOfBias(of: sequence) + sequences[sequence].count <= rowsOfBias
            && $0.matrices.columns >= prefix(of: sequence).count + keys[sequence].count
        } ?? true)
    }
  }

  /// Whether no two sequences see the same keys, prefixes aside.
  var keysAreDistinct: Bool {
    let sorted = keys.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    return zip(sorted, sorted.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound }
  }

  private func prefix(of sequence: Int) -> Range<Int> { prefixes?.rows[sequence] ?? 0..<0 }
  /// The keys before a sequence's first query.
  private func position(of sequence: Int) -> Int {
    form.isCausal ? keys[sequence].count - sequences[sequence].count : 0
  }
  private func firstRowOfBias(of sequence: Int) -> Int { position(of: sequence) - (bias?.firstPosition ?? 0) }
  /// Those of the matrix of one head.
  private var rowsOfBias: Int {
    bias.map { $0.matrices.rows / form.heads / ($0.isPerSequence ? sequences.count : 1) } ?? 0
  }
  private func slice(of head: Head) -> Int { head.index / (form.heads / form.keyHeads) * width }

  /// The first element of a head's queries, and of its result.
  func first(of head: Head) -> Int { sequences[head.sequence].lowerBound * columns.queries + head.index * width }
  /// That of its keys and values.
  func firstKey(of head: Head) -> Int { keys[head.sequence].lowerBound * columns.keys + slice(of: head) }
  /// That of its keys' gradient, where each head has columns of its own.
  func firstKeyGradient(of head: Head) -> Int {
    keys[head.sequence].lowerBound * columns.queries + head.index * width
  }
  func firstOfPrefix(of head: Head) -> Int {
    prefix(of: head.sequence).lowerBound * columns.keys + slice(of: head)
  }
  func firstOfBias(of head: Head) -> Int {
    guard let bias else { return 0 }
    let matrix = (bias.isPerSequence ? head.sequence * form.heads : 0) + head.index
    return (matrix * rowsOfBias + firstRowOfBias(of: head.sequence)) * bias.matrices.columns
  }

  func shape(of head: Head) -> hub_attention_shape {
    let prefix = firstOfPrefix(of: head)
    return hub_attention_shape(
      rows: sequences[head.sequence].count, keys: keys[head.sequence].count, head_width: width,
      stride: columns.queries, key_stride: columns.keys, scale: form.scale ?? 1 / Float(width).squareRoot(),
      causal: form.isCausal ? 1 : 0, window: form.window ?? 0,
      prefix: self.prefix(of: head.sequence).count, prefix_keys: prefixes.map { $0.keys.base + prefix },
      prefix_values: prefixes.map { $0.values.base + prefix },
      // A stride of zero gives all queries the same row.
      bias: bias.map { $0.matrices.base + firstOfBias(of: head) }
        ?? keyScores.map { $0.base + head.sequence * $0.columns },
      bias_stride: bias?.matrices.columns ?? 0)
  }

  /// Calls `body` with scratch memory for each head of each sequence that is not empty.
  ///
  /// - Parameter inTurn: Whether heads that share keys, and all sequences, come one after another, so that they may add
  ///   to one sum.
  func run(
    on workers: Workers, inTurn: Bool = false, scratch: (Int, Int, Int, Int) -> Int,
    _ body: (Head, UnsafeMutablePointer<Float>) -> Void
  ) {
    let size =
      (0..<sequences.count).map {
        scratch(sequences[$0].count, prefix(of: $0).count, keys[$0].count, width)
      }.max() ?? 0
    func visit(_ sequence: Int, _ index: Int, _ memory: UnsafeMutablePointer<Float>) {
      if !sequences[sequence].isEmpty { body(Head(sequence: sequence, index: index), memory) }
    }
    guard inTurn else {
      return workers.run(sequences.count * form.heads, scratch: size) { index, memory in
        visit(index / form.heads, index % form.heads, memory)
      }
    }
    let group = form.heads / form.keyHeads
    workers.run(form.keyHeads, scratch: size) { slice, memory in
      for index in slice * group..<(slice + 1) * group {
        for sequence in 0..<sequences.count { visit(sequence, index, memory) }
      }
    }
  }
}
