public import HubWords
public import HubTensor

extension Failure.Code {
  /// Labels of another kind than the head learns from, or for other rows or classes than there are.
  public static let wrongLabels = Self("head/labels", .badData)
}

/// What a head learns from.
public enum HeadTargets: Sendable {
  /// A class for each row of the logits: each text, token or question; `nil` leaves the row out.
  case classes([Int?])
  /// A number for each text.
  case values([Float])
  /// The labels of each text, any number of them.
  case sets([Set<Int>])
  /// Of each sequence the token where the answer begins and the one where it ends, both counted from the sequence's
  /// first; `nil` leaves it out.
  case spans([(start: Int?, end: Int?)], of: Sequences)
  /// Of each sequence's words the head, 0 being the root, and the relation's number. The Python library pads labels
  /// with zeros, so that words at the root do not count there.
  case trees([[(head: Int, relation: Int)]], padsWithZeros: Bool = false)

  private var kind: String {
    switch self {
    case .classes: "classes"
    case .values: "numbers"
    case .sets: "sets of labels"
    case .spans: "spans"
    case .trees: "trees"
    }
  }

  func failure(wanted: String) -> Failure {
    Failure(.wrongLabels, "the head learns from \(wanted), but these are \(kind)")
  }

  /// A class for each row of the logits.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongLabels``.
  public func classes(for logits: Tensor) throws -> [Int?] {
    guard case .classes(let classes) = self else { throw failure(wanted: "classes") }
    try Self.check(classes.count, logits.rows)
    try classes.forEach { try Self.check($0, below: logits.columns) }
    return classes
  }

  /// Makes sure that there are as many labels as rows.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongLabels``.
  public static func check(_ count: Int, _ rows: Int) throws {
    guard count == rows else { throw Failure(.wrongLabels, "there are \(count) labels for \(rows) rows") }
  }

  static func check(_ label: Int?, below count: Int) throws {
    guard let label, !(0..<count).contains(label) else { return }
    throw Failure.outside(0...max(0, count - 1), label, .wrongLabels, at: nil)
  }
}

extension Context {
  /// The mean of the squares of the differences, `[1, 1]`.
  func meanSquaredError(_ x: Tensor, _ values: [Float]) -> Tensor {
    let difference = add(reshaped(x, rows: 1, columns: x.count), tensor(rows: 1, columns: x.count, values.map { -$0 }))
    return scaled(product(difference, difference, transposing: true), by: 1 / Float(max(1, x.count)))
  }

  /// The mean over rows and columns of `−log σ(x)` for those in the row's set, and of `−log(1 − σ(x))` for the others:
  /// the cross entropy of `softmax([0, x])`.
  func binaryCrossEntropy(_ x: Tensor, _ sets: [Set<Int>]) -> Tensor {
    let pairs = joined(
      tensor(rows: x.count, columns: 1, repeatElement(0, count: x.count)), reshaped(x, rows: x.count, columns: 1))
    return crossEntropy(pairs, labels: sets.flatMap { set in (0..<x.columns).map { set.contains($0) ? 1 : 0 } })
  }
}
