import HubWords

/// Names of tensors in a foreign format and in ours, side by side. A number after `layer`, `layers` or `units` is an
/// index, written `#` in both.
struct NameTable {
  struct Pair {
    let foreign: String
    let stable: String
    /// A second copy of what has another name as well; read if the other is not there, never written.
    var isAlias = false

    init(_ foreign: String, _ stable: String, isAlias: Bool = false) {
      self.foreign = foreign
      self.stable = stable
      self.isAlias = isAlias
    }
  }

  private let byForeign: [String: Pair]
  private let byStable: [String: Pair]

  init(_ pairs: [Pair]) {
    byForeign = Dictionary(pairs.map { ($0.foreign, $0) }, uniquingKeysWith: { first, _ in first })
    byStable = Dictionary(pairs.filter { !$0.isAlias }.map { ($0.stable, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func stable(_ foreign: String) -> (name: String, isAlias: Bool)? {
    let (pattern, indices) = Self.split(foreign)
    return byForeign[pattern].map { (Self.fill($0.stable, indices), $0.isAlias) }
  }

  func foreign(_ stable: String) -> String? {
    let (pattern, indices) = Self.split(stable)
    return byStable[pattern].map { Self.fill($0.foreign, indices) }
  }

  private static func split(_ name: String) -> (pattern: String, indices: [Substring]) {
    var components = name.dotted, indices: [Substring] = []
    for position in components.indices.dropFirst()
    where isIndex(components[position]) && ["layer", "layers", "units"].contains(components[position - 1]) {
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

  private static func fill(_ pattern: String, _ indices: [Substring]) -> String {
    var rest = indices[...]
    return pattern.dotted.map { $0 == "#" ? rest.popFirst() ?? $0 : $0 }.joined(separator: ".")
  }
}
