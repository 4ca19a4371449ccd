/// The singular value decomposition of a product of two thin matrices, which is never written out.
enum LowRankProduct {
  typealias Matrix = [[Double]]

  /// `u [m, rank]`, scaled by the singular values, and `v [rank, n]`, whose product is the best approximation of
  /// `b · a` that has this rank.
  ///
  /// - Parameters:
  ///   - b: `[m, k]`
  ///   - a: `[k, n]`
  static func factors(_ b: Matrix, _ a: Matrix, rank: Int) -> (u: Matrix, v: Matrix) {
    // With b = Q S and aᵀ = P T, columns stored as rows: b · a = Q (S Tᵀ) Pᵀ.
    let (q, s) = orthonormal(transposed(b)), (p, t) = orthonormal(a)
    let core = s.map { row in t.map { dot(row, $0) } }
    let (left, right) = decomposed(core)
    let order = left.indices.sorted { dot(left[$0], left[$0]) > dot(left[$1], left[$1]) }.prefix(rank)
    let columns = order.map { combined(q, left[$0]) }, rows = order.map { combined(p, right[$0]) }
    let m = b.count, n = a.first?.count ?? 0, missing = rank - columns.count
    let u = transposed(columns + Array(repeating: Array(repeating: 0, count: m), count: missing))
    return (u, rows + Array(repeating: Array(repeating: 0, count: n), count: missing))
  }

  /// Gram and Schmidt's, twice over for accuracy: orthonormal vectors, and the factors that give the old ones back,
  /// `vectorⱼ = Σᵢ factors[i][j] · basisᵢ`.
  private static func orthonormal(_ vectors: Matrix) -> (basis: Matrix, factors: Matrix) {
    var basis: Matrix = [], factors = Matrix(repeating: Array(repeating: 0, count: vectors.count), count: vectors.count)
    for (j, vector) in vectors.enumerated() {
      var rest = vector
      for _ in 0..<2 {
        for i in 0..<j {
          let share = dot(basis[i], rest)
          factors[i][j] += share
          rest = zip(rest, basis[i]).map { $0 - share * $1 }
        }
      }
      let length = dot(rest, rest).squareRoot()
      // What depends on the vectors before adds no direction.
      let isNew = length > 1e-12 * max(1, dot(vector, vector).squareRoot())
      factors[j][j] = isNew ? length : 0
      basis.append(rest.map { isNew ? $0 / length : 0 })
    }
    return (basis, factors)
  }

  /// Jacobi's rotations of columns until they are orthogonal (Hestenes 1958): the columns of `M V`, which are those of
  /// `U` times the singular values, and those of `V`.
  private static func decomposed(_ matrix: Matrix) -> (left: Matrix, right: Matrix) {
    var left = transposed(matrix)
    var right = left.indices.map { i in left.indices.map { $0 == i ? 1.0 : 0 } }
    for _ in 0..<60 {
      var isDone = true
      for i in left.indices {
        for j in left.indices where j > i {
          let alpha = dot(left[i], left[i]), beta = dot(left[j], left[j]), gamma = dot(left[i], left[j])
          guard abs(gamma) > 1e-15 * (alpha * beta).squareRoot(), gamma != 0 else { continue }
          isDone = false
          let zeta = (beta - alpha) / (2 * gamma), sign: Double = zeta < 0 ? -1 : 1
          let tangent = sign / (abs(zeta) + (1 + zeta * zeta).squareRoot()),
            cosine = 1 / (1 + tangent * tangent).squareRoot()
          rotate(&left, i, j, cosine, tangent * cosine)
          rotate(&right, i, j, cosine, tangent * cosine)
        }
      }
      if isDone { break }
    }
    return (left, right)
  }

  private static func rotate(_ vectors: inout Matrix, _ i: Int, _ j: Int, _ cosine: Double, _ sine: Double) {
    for k in vectors[i].indices {
      let (x, y) = (vectors[i][k], vectors[j][k])
      vectors[i][k] = cosine * x - sine * y
      vectors[j][k] = sine * x + cosine * y
    }
  }

  private static func combined(_ vectors: Matrix, _ factors: [Double]) -> [Double] {
    let length = vectors.first?.count ?? 0
    return zip(vectors, factors).reduce(Array(repeating: 0, count: length)) { sum, item in
      zip(sum, item.0).map { $0 + item.1 * $1 }
    }
  }

  private static func transposed(_ matrix: Matrix) -> Matrix {
    (matrix.first ?? []).indices.map { column in matrix.map { $0[column] } }
  }

  private static func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
}
