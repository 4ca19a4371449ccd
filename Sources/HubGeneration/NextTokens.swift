/// A model that goes on with texts: rows of tokens that grow, each with what the model remembers of it (its keys and
/// values).
///
/// ``Generator`` decides which tokens come next and which rows stay. What a row computes must not depend on its
/// neighbours.
public protocol NextTokens<Start> {
  /// What a new row begins with besides tokens: the source of a translation, the setup of the request.
  associatedtype Start

  /// Adds rows without tokens after those that are there.
  mutating func begin(_ starts: [Start]) throws

  /// Appends tokens to every row, at least one to each.
  ///
  /// - Parameter tokens: a list for each row: the prompt of a new row, the last token of one that runs
  /// - Returns: the logits of what comes after each row, `[rows][vocabulary]`
  mutating func logits(appending tokens: [[Int32]]) throws -> [[Float]]

  /// Keeps these rows in this order. A row that is named twice is copied, one that is not named is forgotten.
  mutating func keep(_ rows: [Int]) throws
}
