public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

extension Failure.Code {
  /// A head's configuration names a type or an option that Dovetail does not have.
  public static let unsupportedHead = Self("head/unsupported", .badData)
  /// A value in a head's configuration is out of range.
  public static let invalidHead = Self("head/configuration", .badData)
}

/// What the rows of a head's logits answer. A program's own head may have one of its own.
public struct HeadAnswer: Hashable, Sendable {
  /// What there is a row of logits for.
  public enum Unit: Sendable {
    case sequence
    /// Several sequences that follow each other.
    case question
    case token
    /// A word and a possible head: the words of a sequence one after another, each with all its heads, the root first.
    case wordPair
  }

  /// What a kind of ``Answer`` is found by, such as `label`.
  public let name: String
  /// What there is a row of logits for.
  public let unit: Unit
  /// Whether heads of this kind are taught on words, punctuation apart.
  public let readsWords: Bool

  public init(_ name: String, _ unit: Unit, readsWords: Bool = false) {
    (self.name, self.unit, self.readsWords) = (name, unit, readsWords)
  }

  /// The sequence, with one label.
  public static let label = Self("label", .sequence)
  /// The sequence, with a number.
  public static let number = Self("number", .sequence)
  /// The sequence, with any number of labels.
  public static let labels = Self("labels", .sequence)
  /// A question, with one of the sequences that follow each other.
  public static let choice = Self("choice", .question)
  /// Each token, with one label.
  public static let tokenLabel = Self("tags", .token, readsWords: true)
  /// Each token: how well an answer begins and ends there.
  public static let span = Self("spans", .token)
  /// Each token: which word stands there.
  public static let word = Self("words", .token)
  /// Each pair of a word and a possible head: whether the one depends on the other, and how.
  public static let tree = Self("tree", .wordPair, readsWords: true)
}

/// What a head reads.
public struct HeadInput {
  /// The base model's last hidden states.
  public let hidden: Tensor
  /// Where each sequence lies in the rows.
  public let sequences: Sequences
  /// The base model that the hidden states come from.
  public let base: any BaseModel
  /// The adapter of the embeddings, which language models undo before they name words.
  public let inverting: (any InvertibleAdapter)?
  /// The tokens of each word, by sequence and counted from its beginning, for heads that answer words.
  public let words: [[Range<Int>]]?

  public init(
    _ hidden: Tensor, _ sequences: Sequences, base: any BaseModel, inverting: (any InvertibleAdapter)? = nil,
    words: [[Range<Int>]]? = nil
  ) {
    self.words = words
    self.hidden = hidden
    self.sequences = sequences
    self.base = base
    self.inverting = inverting
  }

  /// The row of the token that stands for each sequence.
  var summaryRows: [Int] {
    base.summarizesAtEnd ? sequences.offsets.dropFirst().map { $0 - 1 } : sequences.firstRows
  }

  /// The hidden states as heads that look at each token read them.
  func tokens(in context: Context) -> Tensor {
    base.outputScale == 1 ? hidden : context.scaled(hidden, by: base.outputScale)
  }
}

/// A prediction head. One file under `Heads/`, one line in ``Heads``.
public protocol Head: Sendable {
  /// The values of `head_type` in AdapterHub's `head_config.json` that mean this head.
  static var types: [String] { get }

  /// - Throws: ``Failure`` that names the key or the tensor that is wrong.
  init(configuration: JSONObject, shape: ModelShape, weights: ParameterSource) throws

  /// What the columns of the logits mean; empty if they are the words of the vocabulary.
  var labels: [String] { get }

  /// What the logits mean, and so which kind of answer is made of them.
  var answer: HeadAnswer { get }

  /// The logits, a row for each of what ``answer`` says.
  ///
  /// - Throws: ``Failure`` if the base model or the input lacks what the head needs.
  func logits(_ input: HeadInput, in context: Context) throws -> Tensor

  /// What training makes small, `[1, 1]`: unless the head says otherwise, the mean cross entropy of
  /// ``HeadTargets/classes(_:)``.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongLabels`` if such labels are not what the head learns from.
  func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor

  /// All weights, in the order of the file.
  var parameters: [Parameter] { get }

  /// Those of ``parameters`` that training leaves as they are.
  var frozenParameters: [Parameter] { get }
}

extension Head {
  public var frozenParameters: [Parameter] { [] }

  public func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor {
    context.crossEntropy(logits, labels: try labels.classes(for: logits))
  }

  /// The logits of hidden states that no embedding adapter had a part in.
  public func callAsFunction(
    _ hidden: Tensor, _ sequences: Sequences, base: any BaseModel, in context: Context
  ) throws -> Tensor {
    try logits(HeadInput(hidden, sequences, base: base), in: context)
  }
}

/// The heads that Dovetail knows, and those that a program registers.
public enum Heads {
  private static let table = TypeTable<any Head.Type>([
    ClassificationHead.self,
    DependencyHead.self,
    MultiLabelHead.self,
    MultipleChoiceHead.self,
    TaggingHead.self,
    QuestionAnsweringHead.self,
    LanguageModelHead.self,
  ]) { $0.types }

  /// The heads that Dovetail knows, then those that the program registered.
  public static var all: [any Head.Type] { table.all }

  /// Makes a head known under its ``Head/types`` wherever heads are checked, installed and loaded in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public static func register(_ type: any Head.Type) throws { try table.register(type) }

  /// Loads a head, after ``check(_:_:shape:)``.
  ///
  /// - Parameter shared: weights that belong to something else as well, by the head's names for them
  public static func load(
    _ configuration: JSONObject, _ stored: StoredWeights, shape: ModelShape, engine: Engine,
    sharing shared: [String: Parameter] = [:]
  ) throws -> any Head {
    let type = try type(for: configuration)
    return try stored.load(engine: engine, sharing: shared) {
      try type.init(configuration: configuration, shape: shape, weights: $0) as any Head
    }.loaded
  }

  /// Accounts for every tensor of a head.
  ///
  /// - Throws: ``Failure``: an unsupported type, a wrong configuration, tensors that do not fit.
  public static func check(_ configuration: JSONObject, _ stored: StoredWeights, shape: ModelShape) throws {
    let type = try type(for: configuration)
    _ = try stored.check { try type.init(configuration: configuration, shape: shape, weights: $0) as any Head }
  }

  private static func type(for configuration: JSONObject) throws -> any Head.Type {
    let name = try configuration.string("head_type")
    if let type = table[name] { return type }
    let known = all.flatMap { $0.types }.joined(separator: ", ")
    throw Failure(
      .unsupportedHead, "the head type \(name.debugDescription) is not supported",
      at: configuration.path(to: "head_type"), hint: "supported: \(known)")
  }
}
