import HubWords

/// A square matrix of a rotation that was trained, in double precision.
struct SquareMatrix {
  let size: Int
  var values: [Double]

  init(_ size: Int) {
    self.size = size
    values = Array(repeating: 0, count: size * size)
  }

  static func identity(_ size: Int) -> SquareMatrix {
    var matrix = SquareMatrix(size)
    for i in 0..<size { matrix[i, i] = 1 }
    return matrix
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * size + column] }
    set { values[row * size + column] = newValue }
  }

  var transposed: SquareMatrix {
    var result = SquareMatrix(size)
    for i in 0..<size { for j in 0..<size { result[j, i] = self[i, j] } }
    return result
  }

  static func * (left: SquareMatrix, right: SquareMatrix) -> SquareMatrix {
    let size = left.size
    var result = SquareMatrix(size)
    for i in 0..<size {
      for k in 0..<size where left[i, k] != 0 {
        let value = left[i, k]
        for j in 0..<size { result.values[i * size + j] += value * right.values[k * size + j] }
      }
    }
    return result
  }

  func adding(_ other: SquareMatrix, times factor: Double) -> SquareMatrix {
    var result = self
    for index in values.indices { result.values[index] += factor * other.values[index] }
    return result
  }

  /// Cayley's transform of a skew-symmetric matrix `S`: `(I − S) (I + S)⁻¹`, which is orthogonal.
  var cayley: SquareMatrix {
    // (I + S)ᵀ = I − S: with X (I + S) = I − S, Xᵀ solves (I − S) Xᵀ = I + S.
    var left = Self.identity(size).adding(self, times: -1), right = Self.identity(size).adding(self, times: 1)
    for pivot in 0..<size {
      let best = (pivot..<size).max { abs(left[$0, pivot]) < abs(left[$1, pivot]) } ?? pivot
      if best != pivot {
        for j in 0..<size {
          (left[pivot, j], left[best, j]) = (left[best, j], left[pivot, j])
          (right[pivot, j], right[best, j]) = (right[best, j], right[pivot, j])
        }
      }
      let inverse = 1 / left[pivot, pivot]
      for row in 0..<size where row != pivot && left[row, pivot] != 0 {
        let factor = left[row, pivot] * inverse
        for j in pivot..<size { left[row, j] -= factor * left[pivot, j] }
        for j in 0..<size { right[row, j] -= factor * right[pivot, j] }
      }
    }
    for row in 0..<size { for j in 0..<size { right[row, j] /= left[row, row] } }
    return right.transposed
  }

  /// The first terms of the series of Cayley's transform, as PEFT sums them: `I + 2 S + 2 S² + … + Sⁿ`.
  func cayley(terms: Int) -> SquareMatrix {
    var result = Self.identity(size)
    guard terms > 1 else { return result }
    result = result.adding(self, times: 2)
    guard terms > 2 else { return result }
    var power = self * self
    result = result.adding(power, times: 2)
    for _ in 3..<max(3, terms - 1) {
      power = power * self
      result = result.adding(power, times: 2)
    }
    return result.adding(power * self, times: 1)
  }

  /// Blocks along the diagonal.
  static func diagonal(_ blocks: [SquareMatrix]) -> SquareMatrix {
    var result = SquareMatrix(blocks.reduce(0) { $0 + $1.size }), start = 0
    for block in blocks {
      for i in 0..<block.size { for j in 0..<block.size { result[start + i, start + j] = block[i, j] } }
      start += block.size
    }
    return result
  }

  var floats: [Float] { values.map(Float.init) }
}
