public import HubAdapters
public import HubModels
public import HubTokenizers
public import HubTransformer
public import HubWords

extension Failure.Code {
  /// There is no such task.
  public static let unknownTask = Self("training/task", .usage)
}

/// Makes examples of rows: the tokenizer, and what was found to be cut.
public struct ExampleEncoder: Sendable {
  /// What cuts texts into tokens.
  public let tokenizer: any Tokenizer
  /// The most tokens of a sequence.
  public let maximumLength: Int
  /// The names of the labels, in the order of the head's outputs.
  public let labels: [String]
  /// What ends a text that a model writes; `nil` if nothing does.
  public var endToken: Int?
  /// What a decoder reads so that it learns to write a text.
  public var decoderInput: @Sendable ([Int]) -> [Int] = { $0 }
  private let numbers: [String: Int]

  public init(tokenizer: any Tokenizer, maximumLength: Int, labels: [String]) {
    (self.tokenizer, self.maximumLength, self.labels) = (tokenizer, maximumLength, labels)
    numbers = Dictionary(labels.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func number(of label: String, in row: DataRow) throws -> Int {
    if let number = numbers[label] { return number }
    throw row.failure(
      "the label \(label.debugDescription) is not one of the \(labels.count) known",
      hint: "known: \(labels.prefix(20).joined(separator: ", "))")
  }

  /// Takes from a model what those that write read and end with.
  public mutating func writes(with base: any BaseModel, endToken: Int?) {
    self.endToken = endToken
    if let model = base as? any EncoderDecoder { decoderInput = { model.decoderInput(for: $0) } }
  }

  /// A text with what ends it, if the tokenizer has not put that there.
  func ended(_ ids: [Int]) -> [Int] {
    guard let endToken, !ids.contains(endToken) else { return ids }
    return ids + [endToken]
  }

  func sequence(_ text: String, pair: String? = nil) throws -> (ids: [Int], typeIDs: [Int]) {
    try tokenizer.encode(text, pair: pair, maxLength: maximumLength).sequence
  }
}

extension Encoding {
  var sequence: (ids: [Int], typeIDs: [Int]) { (ids.map(Int.init), typeIDs.map(Int.init)) }

  /// The tokens of each word, by the word's number.
  var wordTokens: [(word: Int, tokens: Range<Int>)] {
    var result: [(word: Int, tokens: Range<Int>)] = []
    for token in 0..<count {
      guard let word = wordIDs[token].map(Int.init) else { continue }
      if let last = result.last, last.word == word, last.tokens.upperBound == token,
        sequences[token] == sequences[token - 1]
      {
        result[result.count - 1].tokens = last.tokens.lowerBound..<token + 1
      } else {
        result.append((word, token..<token + 1))
      }
    }
    return result
  }
}

/// A kind of thing to learn: what its rows hold, which head learns it. One file each under `Objectives/`, one line in
/// ``Objectives``.
public protocol Objective: Sendable {
  /// What recipes call it.
  static var task: String { get }
  /// The columns that a row must have, and those that it may have.
  static var columns: (required: [String], optional: [String]) { get }
  /// What its heads answer.
  static var answer: HeadAnswer { get }
  /// Whether a base can learn it. Any can, unless the objective says otherwise.
  static func suits(_ base: any BaseModel) -> Bool
  /// The names of labels in rows, in order; empty unless the objective has labels.
  static func labels(of row: DataRow) throws -> [String]
  /// A fresh head's configuration.
  ///
  /// - Parameter examples: some rows, which may tell how many choices there are
  static func head(labels: [String], rows: [DataRow], shape: ModelShape, vocabularySize: Int) throws -> JSON.Members
  /// What a row teaches: usually one example.
  ///
  /// - Throws: ``Failure`` that names file and line.
  static func examples(of row: DataRow, _ encoder: ExampleEncoder) throws -> [TrainingExample]
}

extension Objective {
  public static func suits(_ base: any BaseModel) -> Bool { true }

  public static func labels(of row: DataRow) throws -> [String] { [] }

  static func labelIDs(_ labels: [String]) -> JSON {
    .object(labels.enumerated().reduce(into: JSON.Members()) { $0[$1.element] = .integer($1.offset) })
  }

  /// A head of two layers over the first token, as AdapterHub makes them.
  static func pooledHead(_ type: String, _ labels: [String]) -> JSON.Members {
    [
      "head_type": .string(type), "num_labels": .integer(labels.count), "layers": 2, "activation_function": "tanh",
      "label2id": labelIDs(labels), "use_pooler": false, "bias": true,
    ]
  }
}

/// The kinds of things to learn.
public enum Objectives {
  /// One line each.
  public static let all: [any Objective.Type] = [
    ClassificationObjective.self,
    MultiLabelObjective.self,
    RegressionObjective.self,
    TaggingObjective.self,
    QuestionAnsweringObjective.self,
    MultipleChoiceObjective.self,
    ParsingObjective.self,
    MaskedWordsObjective.self,
    NextWordsObjective.self,
    WrittenTextObjective.self,
  ]

  /// What a recipe calls by this name.
  public static func named(_ task: String) -> (any Objective.Type)? { all.first { $0.task == task } }

  /// What teaches heads with such answers on a base, to measure them.
  public static func answering(_ answer: HeadAnswer, on base: any BaseModel) -> (any Objective.Type)? {
    all.first { $0.answer == answer && $0.suits(base) }
  }
}
