/// How a text is written: the options of `transformers`' `generate()` under Swift names, with the same defaults unless
/// stated otherwise. ``init(_:)-(JSONObject)`` reads them under their own names.
public struct GenerationOptions: Hashable, Sendable {
  /// When a beam search has found enough.
  public enum EarlyStopping: Hashable, Sendable {
    /// When the best running text, at its present length, is no better than the worst finished one (`false`).
    case whenUnlikely
    /// As soon as there are as many finished texts as beams (`true`).
    case whenFull
    /// When no running text can become better, judged at the maximal length if longer texts are favoured (`"never"`).
    case never
  }

  /// Tokens, and what is added to the score of the last one where the others stand before it.
  public struct Bias: Hashable, Sendable {
    /// The tokens, in the order of the text.
    public var tokens: [Int32]
    /// What is added to the logit.
    public var value: Float

    public init(_ tokens: [Int32], _ value: Float) { (self.tokens, self.value) = (tokens, value) }
  }

  // MARK: Lengths

  /// The most tokens that are written (`max_new_tokens`).
  public var maxNewTokens: Int?
  /// The most tokens, the prompt included (`max_length`); counts where ``maxNewTokens`` is not given. Without both, 20
  /// tokens are written.
  public var maxLength: Int?
  /// The fewest tokens that are written before the text may end (`min_new_tokens`).
  public var minNewTokens = 0
  /// The same, the prompt included (`min_length`); counts where ``minNewTokens`` is 0.
  public var minLength = 0
  /// From which new token on the end becomes more likely, and by which factor a token
  /// (`exponential_decay_length_penalty`).
  public var lengthDecay: Decay?

  /// Where a factor begins to count, and the factor.
  public struct Decay: Hashable, Sendable {
    /// The number of new tokens after which the factor counts.
    public var start: Int
    /// The factor for each further token.
    public var factor: Double

    public init(start: Int, factor: Double) { (self.start, self.factor) = (start, factor) }
  }

  // MARK: Ids

  /// The ids that end a text (`eos_token_id`).
  public var endTokens: [Int32] = []
  /// What ended rows are filled up with (`pad_token_id`).
  public var padToken: Int32?
  /// What the decoder of an encoder-decoder begins with (`decoder_start_token_id`).
  public var decoderStartToken: Int32?
  /// What a text begins with (`bos_token_id`), which a decoder needs where the prompt is empty.
  public var beginToken: Int32?
  /// The first token that a decoder writes after its start token (`forced_bos_token_id`).
  public var forcedFirstToken: Int32?
  /// The last tokens at the maximal length, one of which is forced (`forced_eos_token_id`).
  public var forcedLastTokens: [Int32] = []
  /// Texts that end what is written as soon as they appear, and are cut off (`stop_strings`).
  public var stopStrings: [String] = []

  // MARK: Scores

  /// Divides the positive logits of tokens that have appeared and multiplies negative ones; the prompt of a decoder
  /// counts (`repetition_penalty`, Keskar et al. 2019).
  public var repetitionPenalty: Float = 1
  /// Raises the tokens of the source (`encoder_repetition_penalty`).
  public var sourceRepetitionPenalty: Float = 1
  /// Subtracted from the logit of each token that was written.
  public var presencePenalty: Float = 0
  /// Subtracted from the logit of each token once for every time that it was written.
  public var frequencyPenalty: Float = 0
  /// No sequence of this many tokens appears twice (`no_repeat_ngram_size`); 0 to allow all.
  public var noRepeatedTokens = 0
  /// No sequence of this many tokens of the source is written (`encoder_no_repeat_ngram_size`).
  public var noRepeatedSourceTokens = 0
  /// Tokens or sequences that are never written (`bad_words_ids`).
  public var forbiddenSequences: [[Int32]] = []
  /// What is added to logits (`sequence_bias`; of single tokens: a logit bias).
  public var biases: [Bias] = []
  /// Tokens that are never written (`suppress_tokens`).
  public var suppressedTokens: [Int32] = []
  /// Tokens that are not written first (`begin_suppress_tokens`).
  public var tokensSuppressedAtBegin: [Int32] = []

  // MARK: Sampling

  /// Draws tokens at random instead of taking the best (`do_sample`).
  public var samples = false
  /// Divides the logits: below 1 the best tokens become more likely (`temperature`).
  public var temperature: Float = 1
  /// Draws among the best tokens only (`top_k`); 0 for all.
  public var topK = 50
  /// Draws among the fewest best tokens that have this probability together (`top_p`, Holtzman et al. 2020).
  public var topP: Float = 1
  /// Draws among tokens that have at least this share of the best one's probability (`min_p`, Nguyen et al. 2024).
  public var minP: Float = 0
  /// Draws among tokens whose information is closest to the expected (`typical_p`, Meister et al. 2023).
  public var typicalP: Float = 1
  /// Draws among tokens of at least this probability (`epsilon_cutoff`, Hewitt et al. 2022).
  public var epsilonCutoff: Float = 0
  /// The same, less where the distribution is flat (`eta_cutoff`, Hewitt et al. 2022).
  public var etaCutoff: Float = 0
  /// What the random numbers come from. The same seed gives the same text, whatever else is computed; `nil` takes any.
  public var seed: UInt64?

  // MARK: Search

  /// How many texts are followed at once (`num_beams`); 1 for no beam search.
  public var beams = 1
  /// How many texts a prompt gets (`num_return_sequences`).
  public var returnedSequences = 1
  /// A finished text scores the sum of its log-probabilities divided by its length to this power (`length_penalty`).
  public var lengthPenalty: Double = 1
  /// When a beam search ends (`early_stopping`).
  public var earlyStopping = EarlyStopping.whenUnlikely

  // MARK: Results

  /// How many of the most likely tokens are reported with their log-probabilities beside each written one; `nil` for no
  /// log-probabilities at all.
  public var logProbabilities: Int?
  /// Whether the scores of all tokens after all processors are kept for every step.
  public var keepsScores = false

  /// The defaults: greedy, up to 20 tokens.
  public init() {}

  /// The most tokens after a prompt, the prompt included.
  public func limit(afterPrompt count: Int) -> Int { maxNewTokens.map { count + $0 } ?? maxLength ?? count + 20 }
}
