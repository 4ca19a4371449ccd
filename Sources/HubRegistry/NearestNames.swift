/// The names that a mistyped one may have meant, nearest first; at most three.
package func nearest(to name: String, among names: [String]) -> [String] {
  let limit = max(1, min(3, name.utf8.count / 3))
  return names.map { (name: $0, distance: editDistance(name, $0)) }
    .filter {
      $0.distance <= limit || $0.name.hasPrefix(name) || $0.name.split(separator: "/").last.map(String.init) == name
    }
    .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
    .prefix(3).map(\.name)
}

/// The least number of bytes to add, drop, change or swap with their neighbour to get from one text to the other.
func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.lowercased().utf8), right = Array(right.lowercased().utf8)
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for (i, a) in left.enumerated() {
    var row = [i + 1]
    for (j, b) in right.enumerated() {
      var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a == b ? 0 : 1))
      if i > 0, j > 0, a == right[j - 1], left[i - 1] == b { cost = min(cost, beforeLast[j - 1] + 1) }
      row.append(cost)
    }
    (beforeLast, last) = (last, row)
  }
  return last[right.count]
}
