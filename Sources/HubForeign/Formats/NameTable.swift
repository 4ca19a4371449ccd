import HubWords

/// Names of tensors in a foreign format and in ours, side by side. A number after the name of a list is an index,
/// written `#` in both.
struct NameTable {
  struct Pair {
    let foreign: String
    let stable: String
    /// A second copy of what has another name as well; read if the other is not there, never written.
    var isAlias = false
    /// Where the foreign list begins in ours: the first index is so much larger there.
    var firstLayer = 0

    init(_ foreign: String, _ stable: String, isAlias: Bool = false, firstLayer: Int = 0) {
      self.foreign = foreign
      self.stable = stable
      self.isAlias = isAlias
      self.firstLayer = firstLayer
    }
  }

  private let byForeign: [String: Pair]
  /// Those of one name by where their lists begin, the last first.
  private let byStable: [String: [Pair]]
  private let lists: Set<Substring>

  /// - Parameter lists: the names after which a foreign number is an index
  init(_ pairs: [Pair], lists: Set<Substring> = []) {
    byForeign = Dictionary(pairs.map { ($0.foreign, $0) }, uniquingKeysWith: { first, _ in first })
    byStable = Dictionary(grouping: pairs.filter { !$0.isAlias }, by: \.stable)
      .mapValues { $0.sorted { $0.firstLayer > $1.firstLayer } }
    self.lists = lists
  }

  func stable(_ foreign: String) -> (name: String, isAlias: Bool)? {
    let (pattern, indices) = Self.split(foreign, lists)
    return byForeign[pattern].map { (Self.fill($0.stable, indices, adding: $0.firstLayer), $0.isAlias) }
  }

  func foreign(_ stable: String) -> String? {
    let (pattern, indices) = Self.split(stable, ["layers", "units"])
    let layer = indices.first.flatMap { Int($0) } ?? 0
    return byStable[pattern]?.first { $0.firstLayer <= layer }.map {
      Self.fill($0.foreign, indices, adding: -$0.firstLayer)
    }
  }

  private static func split(_ name: String, _ lists: Set<Substring>) -> (pattern: String, indices: [Substring]) {
    var components = name.dotted, indices: [Substring] = []
    for position in components.indices.dropFirst()
    where isIndex(components[position]) && lists.contains(components[position - 1]) {
      indices.append(components[position])
      components[position] = "#"
    }
    return (components.joined(separator: "."), indices)
  }

  /// Whether it is a number, written in the one way that there is.
  private static func isIndex(_ component: Substring) -> Bool {
    let digits = component.utf8
    return digits.allSatisfy { (0x30...0x39).contains($0) } && Int(component) != nil
      && (digits.count == 1 || digits.first != 0x30)
  }

  private static func fill(_ pattern: String, _ indices: [Substring], adding shift: Int) -> String {
    var rest = indices.enumerated().map { $0 == 0 ? moved($1, by: shift) : $1 }[...]
    return pattern.dotted.map { $0 == "#" ? rest.popFirst() ?? $0 : $0 }.joined(separator: ".")
  }

  private static func moved(_ index: Substring, by shift: Int) -> Substring {
    guard shift != 0, let number = Int(index), case let (sum, overflows) = number.addingReportingOverflow(shift),
      !overflows
    else { return index }
    return "\(sum)"
  }
}
