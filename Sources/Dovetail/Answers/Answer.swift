public import HubAdapters
import HubTensor
public import HubTokenizers
public import HubWords

/// What a head says of an input, as people and programs read it. One file a kind under `Answers/`, one line in
/// ``Answers``; a program registers its own with ``Answers/register(_:)``.
public protocol Answer: Sendable {
  /// What heads that are answered so say of themselves in ``Head/answer``.
  static var kind: HeadAnswer { get }

  /// The sequences that the head wants to see of an input: one, or one for each choice or each window of a long text.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongInput`` for an input of a kind that the head does not read,
  ///   and what the tokenizer throws.
  static func sequences(of input: TextInput, for head: any Head, by encoder: InputEncoder) throws -> [Encoding]

  /// Decodes logits.
  ///
  /// - Throws: ``Failure`` if the head gives what no answer can be made of.
  init(_ question: AnsweredQuestion) throws

  /// What `--json` and a server say of it.
  var json: JSON.Members { get }

  /// What a person reads.
  func text(for input: TextInput, in style: AnswerStyle) -> String
}

extension Answer {
  public static func sequences(
    of input: TextInput, for head: any Head, by encoder: InputEncoder
  ) throws -> [Encoding] {
    [try encoder.sequence(of: input)]
  }
}

/// The kinds of answers that Dovetail knows, and those that a program registers.
public enum Answers {
  private static let table = TypeTable<any Answer.Type>([
    Classification.self,
    Regression.self,
    MultiLabel.self,
    Choice.self,
    Tagging.self,
    Spans.self,
    MaskedWords.self,
    Parse.self,
  ]) { [$0.kind.name] }

  /// The kinds that Dovetail knows, then those that the program registered.
  public static var all: [any Answer.Type] { table.all }

  /// Makes a kind of answer known in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public static func register(_ type: any Answer.Type) throws { try table.register(type) }

  /// The answer that a head gives.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownAnswer``.
  static func type(for head: any Head) throws -> any Answer.Type {
    if let type = table[head.answer.name] { return type }
    throw Failure(
      .unknownAnswer, "no kind of answer is registered as \(head.answer.name.debugDescription)",
      hint: "register it with Answers.register"
    )
  }
}

extension Failure.Code {
  /// A head says that it is answered in a way that nobody registered.
  public static let unknownAnswer = Self("run/unknown-answer", .usage)
  /// An input of a kind that the head does not read.
  public static let wrongInput = Self("run/wrong-input", .badData)
  /// A text has more tokens than the model takes.
  public static let overlongText = Self("run/overlong", .badData)
}

/// Cuts inputs into the tokens of a model.
public struct InputEncoder: Sendable {
  /// The tokenizer of the base model.
  public let tokenizer: any Tokenizer
  /// The most tokens that the user wants of an input; `nil` if it may not be cut.
  public let limit: Int?
  /// The most tokens that the model takes.
  public let longest: Int

  /// A text, a pair of texts or words as one sequence.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongInput`` for choices, and what the tokenizer throws.
  public func sequence(of input: TextInput) throws -> Encoding {
    switch input {
    case .text(let text, let pair): try tokenizer.encode(text, pair: pair, maxLength: limit)
    case .words(let words): try tokenizer.encode(words: words, maxLength: limit)
    case .choices: throw Failure(.wrongInput, "the head does not choose between texts")
    }
  }
}

/// An input as the sequences that a head has seen, and what it says of them.
public struct AnsweredQuestion: Sendable {
  /// What was asked.
  public let input: TextInput
  /// Its sequences, as ``Answer/sequences(of:for:by:)`` gave them.
  public let encodings: [Encoding]
  /// The head that answers.
  public let head: any Head
  /// The tokenizer of the base model.
  public let tokenizer: any Tokenizer
  /// The rows that belong to the question: of heads of tokens, those of each sequence.
  private let ranges: [Range<Int>]
  private let logits: Tensor

  init(
    _ input: TextInput, _ encodings: [Encoding], _ head: any Head, _ tokenizer: any Tokenizer, rows: [Range<Int>],
    of logits: Tensor
  ) {
    (self.input, self.encodings, self.head, self.tokenizer) = (input, encodings, head, tokenizer)
    (ranges, self.logits) = (rows, logits)
  }

  /// All rows of logits that belong to the question.
  public var rows: [[Float]] { ranges.joined().map(logits.row) }

  /// The logits of a token of one of the sequences.
  public func logits(ofSequence sequence: Int = 0, token: Int) -> [Float] {
    logits.row(ranges[sequence].lowerBound + token)
  }
}
