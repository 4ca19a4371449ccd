import Foundation
import HubWords

extension Collection where Element == Float {
  /// The softmax, in Double.
  var softmax: [Double] {
    let most = self.max() ?? 0
    let powers = map { exp(Double($0 - most)) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// The index of the largest element, the first of several; 0 for an empty collection.
  var largestIndex: Int {
    enumerated().reduce((0, -Float.infinity)) { best, item in item.element > best.1 ? (item.offset, item.element) : best
    }.0
  }
}

extension JSON {
  static func numbers(_ values: [Float]) -> JSON { .array(values.map { .number(Double($0)) }) }
}
