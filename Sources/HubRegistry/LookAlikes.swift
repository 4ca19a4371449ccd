import GRDB
import HubBundle
import HubWords

/// Names that are easily taken for others: an adapter that somebody wants to be mistaken for a known one has such a
/// name.
enum LookAlikes {
  /// What a name looks like at a glance, as an expression of SQL: letters in one case, those as one that Unicode's
  /// table of confusables (UTS 39) has among the few that a name may have, and all signs as one.
  static func form(of name: String) -> String {
    let alike = [("0", "o"), ("1", "l"), ("i", "l"), ("m", "rn"), ("_", "-"), (".", "-"), ("+", "-")]
    return alike.reduce("lower(\(name))") { "replace(\($0), '\($1.0)', '\($1.1)')" }
  }

  /// SQLite keeps the forms of all names, so that none has to be looked at.
  static let schema = "CREATE INDEX IF NOT EXISTS adaptersByForm ON adapters (\(form(of: "name")))"

  /// The texts that adding, dropping or changing one letter or sign makes of a name, or swapping two neighbours. Digits
  /// stay: `seed1` and `seed2` are two of a series.
  static func oneSlip(from name: String) -> Set<String> {
    let bytes = Array(name.utf8), letters = Array("abcdefghijklmnopqrstuvwxyz-_./".utf8)
    let isDigit = { (byte: UInt8) in (0x30...0x39).contains(byte) }
    var slips: Set<[UInt8]> = []
    for index in 0...bytes.count {
      for letter in letters { slips.insert(bytes[..<index] + [letter] + bytes[index...]) }
      guard index < bytes.count, !isDigit(bytes[index]) else { continue }
      let (before, after) = (bytes[..<index], bytes[(index + 1)...])
      slips.insert(Array(before + after))
      for letter in letters { slips.insert(before + [letter] + after) }
      if let next = after.first, !isDigit(next) { slips.insert(before + [next, bytes[index]] + after.dropFirst()) }
    }
    slips.remove(bytes)
    return Set(slips.map { String(decoding: $0, as: UTF8.self) })
  }
}

extension Records {
  /// The installed adapters whose names look like that of another one, and those that are one slip away and say the
  /// same of themselves; at most three.
  func lookAlikes(of adapter: InstalledAdapter) throws -> [AdapterName] {
    let name = adapter.name.text
    let alike = try String.fetchAll(
      database,
      sql:
        "SELECT DISTINCT name FROM adapters WHERE \(LookAlikes.form(of: "name")) = \(LookAlikes.form(of: "?")) AND name <> ? ORDER BY name LIMIT 3",
      arguments: [name, name])
    let slips = LookAlikes.oneSlip(from: name).sorted()
    let near = try adapters(
      where: "name IN (\(databaseQuestionMarks(count: slips.count)))", StatementArguments(slips), limit: 100
    )
    .filter { $0.manifest.saysTheSame(as: adapter.manifest) }.map(\.name)
    return try Set(alike.map(AdapterName.init) + near).sorted().prefix(3).map(\.self)
  }
}

extension Manifest {
  fileprivate func saysTheSame(as other: Manifest) -> Bool {
    (kind, task, languages, base.architecture) == (other.kind, other.task, other.languages, other.base.architecture)
  }
}
