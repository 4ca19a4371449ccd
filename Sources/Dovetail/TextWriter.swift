import HubRegistry
import HubAdapters
public import HubGeneration
import HubTokenizers
import HubTransformer
public import HubWords

extension Failure.Code {
  /// A base model comes without a template for chats.
  public static let missingTemplate = Self("chat/missing", .notFound)
}

/// Something to be continued, answered or translated.
public enum WritingInput: Sendable {
  /// A text that a decoder continues, or that an encoder-decoder reads.
  case text(String)
  /// Messages with `role` and `content`, as JSON, which the model's chat template makes a text of.
  case chat(JSON)
}

/// A text that was written.
public struct WrittenAnswer: Sendable {
  /// The text, without what ended it.
  public let text: String
  /// Its tokens, log-probabilities and score.
  public let sequence: GeneratedSequence
}

/// What a step of a ``TextWriter`` brings.
public enum WritingEvent: Sendable {
  /// More of a text.
  case text(request: Int, sequence: Int, String)
  /// A request is done.
  case finished(request: Int, [WrittenAnswer])
  /// A request failed; the others go on.
  case failed(request: Int, Failure)
}

/// Writes texts with a base model. Requests share passes, whatever their setups, and join and leave between tokens;
/// what one gets does not depend on the others.
///
/// ```swift
/// var writer = try TextWriter(hub, on: hub.baseModel("smollm2"))
/// try writer.submit(.text("Once upon a time"), options: options)
/// for event in try writer.step() { … }
/// ```
public struct TextWriter {
  private struct Output {
    var streams: [TextStream]
    let options: GenerationOptions
  }

  private let hub: Hub
  private let base: Base
  private let allowsOtherWeights: Bool
  private var generator: Generator<ComposedWriter>
  private var starts: [String: ComposedWriter.Start] = [:]
  private var outputs: [Int: Output] = [:]

  /// The options that come with the model.
  public let options: GenerationOptions

  /// - Parameter allowingOtherWeights: accepts adapters that were trained on other weights of the same architecture
  /// - Throws: ``Failure``: a model that writes nothing, or options in its files that are not supported
  public init(_ hub: Hub, on base: Base, allowingOtherWeights: Bool = false) throws {
    self.hub = hub
    self.base = base
    allowsOtherWeights = allowingOtherWeights
    options = try base.writingOptions()
    generator = Generator(
      try ComposedWriter(base.model, engine: base.engine), vocabularySize: base.model.vocabularySize,
      tokenizer: base.tokenizer)
  }

  /// Whether nothing is left to do.
  public var isIdle: Bool { generator.isIdle }

  /// Adds a request.
  ///
  /// - Parameters:
  ///   - composition: the adapters; `nil` for the base model alone
  ///   - options: how it is written; the model's own if `nil`
  ///   - constraint: what the text must be like
  /// - Returns: the number that events name it by
  /// - Throws: ``Failure``: names that are not installed, options out of range, a text that is too long
  @discardableResult
  public mutating func submit(
    _ input: WritingInput, composition: Composition? = nil, options: GenerationOptions? = nil,
    constraint: TextConstraint? = nil
  ) throws -> Int {
    let options = options ?? self.options, ids = try ids(of: input), start = try start(composition, source: ids)
    var prompt = ids
    if base.model is any EncoderDecoder {
      guard let first = options.decoderStartToken ?? options.beginToken else {
        throw Failure(
          .generationPrompt, "the model does not say which token the decoder starts with",
          hint: "set decoder_start_token_id")
      }
      prompt = [first]
    } else if prompt.isEmpty, let first = options.beginToken {
      prompt = [first]
    }
    let length = max(options.limit(afterPrompt: prompt.count), ids.count)
    guard length <= base.model.maximumLength else {
      throw Failure(
        .generationPrompt,
        "the prompt's \(prompt.count) tokens and those to write are \(length), but the model takes at most \(base.model.maximumLength)",
        hint: "shorten the text, or ask for fewer new tokens")
    }
    let request = GenerationRequest(
      prompt: prompt, source: start.source, options: options, processors: constraint.map { [$0] } ?? [])
    let id = try generator.submit(request, start: start)
    let stream = TextStream(base.tokenizer, stopStrings: options.stopStrings)
    outputs[id] = Output(
      streams: Array(repeating: stream, count: options.returnedSequences), options: options)
    return id
  }

  /// The ids of an input. A chat template has written the special tokens itself.
  private func ids(of input: WritingInput) throws -> [Int32] {
    switch input {
    case .text(let text): return try base.tokenizer.encode(text).ids
    case .chat(let messages):
      guard let source = try ChatTemplates.source(in: base.folder) else {
        throw Failure(
          .missingTemplate, "the model has no chat template", at: base.folder, hint: "give the prompt as plain text")
      }
      let special = base.tokenizer.specialIDs
      let tokens = [
        ("bos_token", options.beginToken ?? special.cls), ("eos_token", options.endTokens.first ?? special.sep),
        ("unk_token", special.unk),
        ("pad_token", special.pad),
      ].compactMap { name, id in id.flatMap(base.tokenizer.token).map { (name, $0) } }
      let text = try ChatTemplate(source).text(of: messages, tokens: Dictionary(uniqueKeysWithValues: tokens))
      let encoding = try base.tokenizer.encode(text)
      return zip(encoding.ids, encoding.specialMask).filter { !$1 }.map(\.0)
    }
  }

  private mutating func start(_ composition: Composition?, source: [Int32]) throws -> ComposedWriter.Start {
    let isEncoded = base.model is any EncoderDecoder, key = composition?.description ?? ""
    let known = try starts[key] ?? loaded(composition)
    starts[key] = known
    return ComposedWriter.Start(
      group: known.group, setup: known.setup, head: known.head, source: isEncoded ? source : [])
  }

  private func loaded(_ composition: Composition?) throws -> ComposedWriter.Start {
    let expanded = try composition.map(hub.registry.expanded)
    let assembly = Assembly(
      registry: hub.registry, identity: base.identity, shape: base.model.shape, engine: base.engine,
      allowingOtherWeights: allowsOtherWeights)
    let setup = try (expanded?.setup).map { try assembly.setup($0) }
    let owner = try hub.registry.headOwners(expanded?.setup, named: expanded?.head).first ?? nil
    if let owner, try owner.head() != nil {
      let head = try assembly.head(of: owner, engine: base.engine).head
      if head.answer == .word { return ComposedWriter.Start(group: starts.count, setup: setup, head: head) }
    }
    guard let head = try base.writingHead.get() else {
      throw Failure(.missingHead, "the base model has no language model head to write with", at: base.name)
    }
    return ComposedWriter.Start(group: starts.count, setup: setup, head: head)
  }

  /// Computes one more token of every request.
  ///
  /// - Throws: what the model throws
  public mutating func step() throws -> [WritingEvent] {
    try generator.step().compactMap { event in
      switch event {
      case .token(let request, let sequence, let token):
        guard outputs[request]?.options.endTokens.contains(token) == false,
          let piece = outputs[request]?.streams[sequence].append(token), !piece.isEmpty
        else { return nil }
        return .text(request: request, sequence: sequence, piece)
      case .finished(let request, let sequences):
        let options = outputs.removeValue(forKey: request)?.options ?? self.options
        return .finished(request: request, sequences.map { WrittenAnswer(text: text(of: $0, options), sequence: $0) })
      case .failed(let request, let failure):
        outputs[request] = nil
        return .failed(request: request, failure)
      }
    }
  }

  private func text(of sequence: GeneratedSequence, _ options: GenerationOptions) -> String {
    var stream = TextStream(base.tokenizer, stopStrings: options.stopStrings)
    let pieces = sequence.tokens.filter { !options.endTokens.contains($0) }.map { stream.append($0) }
    return pieces.joined() + stream.finish()
  }
}

extension Base {
  /// The options that come with the model's files, with the ids of the tokenizer where they name none.
  ///
  /// - Throws: ``Failure``: options that are not supported.
  func writingOptions() throws -> GenerationOptions {
    var options = try GenerationOptions(ofModel: folder)
    let special = tokenizer.specialIDs
    if options.endTokens.isEmpty, let end = special.sep { options.endTokens = [end] }
    if options.beginToken == nil { options.beginToken = special.cls }
    return options
  }

  /// What ends a text that the model writes; `nil` for a model that writes none.
  ///
  /// - Throws: ``Failure``: options in the model's files that are not supported.
  func endToken() throws -> Int? {
    guard model.writes else { return nil }
    return try writingOptions().endTokens.first.map(Int.init)
  }
}
