/// A prompt to be continued.
public struct GenerationRequest: Sendable {
  /// What the model reads: the prompt of a decoder, the start token of an encoder-decoder. Not empty.
  public var prompt: [Int32]
  /// What penalties and lengths count instead of ``prompt``, padding for example; `nil` if that is the same.
  public var countedPrompt: [Int32]?
  /// What the encoder of an encoder-decoder reads, for penalties that look at it.
  public var source: [Int32]
  /// How the text is written.
  public var options: GenerationOptions
  /// The caller's own processors, which come after ours and before what only sampling does.
  public var processors: [any ScoreProcessor]

  public init(
    prompt: [Int32], countedPrompt: [Int32]? = nil, source: [Int32] = [], options: GenerationOptions = .init(),
    processors: [any ScoreProcessor] = []
  ) {
    self.prompt = prompt
    self.countedPrompt = countedPrompt
    self.source = source
    self.options = options
    self.processors = processors
  }
}
