import HubTokenizers
public import HubWords

/// Lets a text be written only such that it fulfils a description: one of several choices, a regular expression, a JSON
/// schema. At every step the tokens are removed that lead to no such text; the end is allowed where the text is
/// complete.
public struct TextConstraint: ScoreProcessor {
  private let vocabulary: VocabularyBytes
  private let table: StateTable
  private let endTokens: Set<Int32>

  /// One of these texts.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/impossibleConstraint`` if there are none, or they are too long
  public init(choices: [String], vocabulary: VocabularyBytes, endTokens: [Int32]) throws {
    guard !choices.isEmpty else { throw Failure(.impossibleConstraint, "there is nothing to choose from") }
    try self.init(.any(of: choices.map(Pattern.text)), vocabulary, endTokens)
  }

  /// A text that a regular expression matches as a whole. `\d`, `\w` and `\s` are those of ASCII; look-arounds and
  /// back-references are refused.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/malformedConstraint``, or ``Failure/Code/impossibleConstraint`` if
  ///   nothing matches
  public init(expression: String, vocabulary: VocabularyBytes, endTokens: [Int32]) throws {
    try self.init(Pattern(parsing: expression), vocabulary, endTokens)
  }

  /// The text of a JSON value that a schema describes. Members stand in the schema's order, with at most one space
  /// after `,` and `:`; members that the schema does not name are not written.
  ///
  /// - Throws: ``Failure`` with ``Failure/Code/malformedConstraint`` for a keyword that is not supported, or
  ///   ``Failure/Code/impossibleConstraint``
  public init(schema: JSON, vocabulary: VocabularyBytes, endTokens: [Int32]) throws {
    try self.init(JSONSchema(schema).pattern(), vocabulary, endTokens)
  }

  init(_ pattern: Pattern, _ vocabulary: VocabularyBytes, _ endTokens: [Int32]) throws {
    guard !endTokens.isEmpty else {
      throw Failure(.impossibleConstraint, "a constraint needs a token that ends the text", hint: "give eos_token_id")
    }
    self.vocabulary = vocabulary
    self.endTokens = Set(endTokens)
    table = try StateTable(ByteMachine(pattern))
  }

  public func process(_ scores: inout [Float], after text: WrittenText) throws {
    var state = 0
    for (index, token) in text.newTokens.enumerated() {
      state = try table.state(after: vocabulary.tokenizer.bytes(of: token, isFirst: index == 0), from: state)
      guard state != StateTable.dead else { throw SearchSetting.nothingAllowed }
    }
    let isFirst = text.newTokens.isEmpty
    var allowed = try table.tokens(from: state, of: isFirst ? vocabulary.first : vocabulary.inside, isFirst: isFirst)
      .filter { !endTokens.contains($0) }
    if table.isComplete(state) { allowed += endTokens }
    var kept = Array(repeating: Probabilities.removed, count: scores.count)
    for token in allowed.map(Int.init) where scores.indices.contains(token) { kept[token] = scores[token] }
    scores = kept
  }
}
