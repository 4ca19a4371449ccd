import CHubKernels

extension Context {
  /// `softmax(Q·Kᵀ/√d)·V` within each sequence, for each of `heads` slices of the columns (Vaswani et al. 2017).
  ///
  /// - Parameter q: `[rows, heads · d]`; `k` and `v` have the same shape.
  public func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, in sequences: Sequences, heads: Int) -> Tensor {
    precondition(q.columns % heads == 0 && sequences.rows == q.rows && k.rows == q.rows && v.rows == q.rows)
    let kernels = kernels
    let width = q.columns / heads
    var result = empty(q.rows, q.columns)
    forHeads(sequences, heads, columns: q.columns, scratch: kernels.attention_scratch) { first, shape, scratch in
      var shape = shape
      kernels.attention(result.block.base + first, q.base + first, k.base + first, v.base + first, &shape, scratch)
    }
    if isRecorded(q, k, v) {
      record(&result) { [unowned self] gradient, gradients in
        let dq = empty(q.rows, q.columns), dk = empty(q.rows, q.columns), dv = empty(q.rows, q.columns)
        forHeads(sequences, heads, columns: heads * width, scratch: kernels.attention_backward_scratch) { first, shape, scratch in
          var shape = shape
          kernels.attention_backward(
            dq.block.base + first, dk.block.base + first, dv.block.base + first, gradient.base + first,
            q.base + first, k.base + first, v.base + first, &shape, scratch)
        }
        gradients.add(dq, to: q)
        gradients.add(dk, to: k)
        gradients.add(dv, to: v)
      }
    }
    return result
  }

  /// Calls `body` for each head of each sequence with its first element, its shape and scratch memory.
  private func forHeads(
    _ sequences: Sequences, _ heads: Int, columns: Int, scratch: (Int, Int) -> Int,
    _ body: (Int, hub_attention_shape, UnsafeMutablePointer<Float>) -> Void
  ) {
    let width = columns / heads
    let longest = (0..<sequences.count).map { sequences[$0].count }.max() ?? 0
    engine.workers.run(sequences.count * heads, scratch: scratch(longest, width)) { index, memory in
      let rows = sequences[index / heads]
      if rows.isEmpty { return }
      let shape = hub_attention_shape(rows: rows.count, head_width: width, stride: columns, scale: 1 / Float(width).squareRoot())
      body(rows.lowerBound * columns + index % heads * width, shape, memory)
    }
  }
}
