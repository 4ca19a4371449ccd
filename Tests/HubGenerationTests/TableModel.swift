import Foundation
import HubGeneration
import HubWords

/// The model of `Fixtures/make.py`: the logits depend on the last two tokens of a text. It checks that it is used as
/// ``NextTokens`` says, and counts what it computes.
struct TableModel: NextTokens {
  let last, before: [[Float]]
  private(set) var rows: [[Int32]] = []
  private(set) var steps = 0

  init(last: [[Float]], before: [[Float]]) { (self.last, self.before) = (last, before) }

  mutating func begin(_ starts: [[Int32]]) { rows += starts }

  mutating func logits(appending tokens: [[Int32]]) throws -> [[Float]] {
    guard tokens.count == rows.count, tokens.allSatisfy({ !$0.isEmpty }) else { throw Misuse() }
    steps += 1
    for row in rows.indices { rows[row] += tokens[row] }
    return rows.map { row in
      let previous = row.count > 1 ? row[row.count - 2] : row[0]
      return zip(last[Int(row[row.count - 1])], before[row.count > 1 ? Int(previous) : 0]).map { $0 + 0.5 * $1 }
    }
  }

  mutating func keep(_ kept: [Int]) { rows = kept.map { rows[$0] } }

  struct Misuse: Error {}
}

/// What transformers wrote with that model.
struct Searches {
  let model: TableModel
  let cases: [JSONObject]

  init() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/searches.json").path
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: path)))
    let json = try JSONObject(JSON(parsing: bytes, limits: .init(bytes: 1 << 24)))
    func table(_ key: String) throws -> [[Float]] {
      try json.array(key).map { ($0.array ?? []).map { Float($0.number ?? .nan) } }
    }
    model = try TableModel(last: table("last"), before: table("before"))
    cases = try json.array("cases").map { try JSONObject($0) }
  }
}

extension JSONObject {
  func ids(_ key: String) throws -> [Int32] { try required(key, "ids") { $0.integers }.map { Int32($0) } }
}
