public import HubAdapters
public import HubWords

extension Failure.Code {
  /// A setup has no head that could answer.
  public static let missingHead = Self("run/no-head", .usage)
  /// The head answers another kind of question.
  public static let wrongHead = Self("run/wrong-head", .usage)
}

/// Adapters and heads on a base model, ready to answer. A value without state: it may be used from any thread.
public struct ComposedModel: Sendable {
  /// A head, and the adapter that it came with.
  public struct NamedHead: Sendable {
    /// The adapter that it came with.
    public let name: String
    /// What makes logits of hidden states.
    public let head: any Head

    public init(_ head: any Head, name: String = "") {
      self.name = name
      self.head = head
    }
  }

  /// The base model, shared with other compositions.
  public let base: Base
  /// `nil` runs the base model alone.
  public let setup: Setup?
  /// One head, or one for each branch of a `parallel`.
  public let heads: [NamedHead]
  /// Copies of a model are the same model.
  let identity = Identity()

  final class Identity: Sendable {}

  public init(base: Base, setup: Setup?, head: any Head) {
    self.init(base: base, setup: setup, heads: [NamedHead(head)])
  }

  /// - Parameter heads: one, or as many as a `parallel` has branches
  public init(base: Base, setup: Setup?, heads: [NamedHead]) {
    precondition(!heads.isEmpty)
    self.base = base
    self.setup = setup
    self.heads = heads
  }

  /// The first head.
  public var head: any Head { heads[0].head }

  /// Whether requests with other setups may stand beside it in a pass.
  var sharesPasses: Bool { setup?.sharesPasses ?? true }
  /// Whether its setup says something about the batch as a whole.
  var needsWholeBatch: Bool { setup?.dividesBatch ?? false }

  /// Answers for many inputs, in their order. They share passes over the base model; one that cannot be answered does
  /// not keep the others from it.
  ///
  /// - Parameter maximumLength: cuts inputs to this many tokens; without it, an input that is too long is a failure
  /// - Throws: ``Failure`` if the model itself fails.
  public func predict(_ inputs: [TextInput], maximumLength: Int? = nil) throws -> [Result<Prediction, Failure>] {
    try base.answers(to: inputs.map { Request($0, of: self) }, maximumLength: maximumLength)
  }

  /// The answer of one kind for one input.
  ///
  /// - Throws: ``Failure``: the input cannot be answered, or with code ``Failure/Code/wrongHead``.
  public func answer<Kind: Answer>(_ input: TextInput, as kind: Kind.Type = Kind.self) throws -> Kind {
    let prediction = try predict([input])[0].get()
    guard let answer = prediction.first(Kind.self) else {
      throw Failure(
        .wrongHead, "the head does not answer with a \(kind.kind.name), but with a \(head.answer.name)",
        hint: "compose a setup whose last adapter has such a head")
    }
    return answer
  }

  /// Answers for one text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not classify.
  public func classify(_ text: String, pair: String? = nil) throws -> Classification {
    try answer(.text(text, pair: pair))
  }

  /// Tags the words of a text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not tag.
  public func tag(_ text: String) throws -> [TaggedWord] { try answer(.text(text), as: Tagging.self).words }

  /// Tags words.
  public func tag(words: [String]) throws -> [TaggedWord] { try answer(.words(words), as: Tagging.self).words }

  /// Parses a text.
  ///
  /// - Throws: ``Failure``: the text has more tokens than the model takes, or the head does not parse.
  public func parse(_ text: String) throws -> [ParsedWord] { try answer(.text(text), as: Parse.self).words }

  /// Parses a sentence of these words.
  public func parse(words: [String]) throws -> [ParsedWord] { try answer(.words(words), as: Parse.self).words }

  /// Looks for the answer to a question in a text, however long it is.
  ///
  /// - Throws: ``Failure``: the head does not find spans.
  public func answer(_ question: String, in text: String) throws -> Spans { try answer(.text(question, pair: text)) }
}
