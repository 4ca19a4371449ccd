import HubAdapters
import HubModels
import HubTensor
import HubTesting
import HubTokenizers
import HubTraining
import HubTransformer
import HubWords
import Testing

/// What decoders and encoder-decoders are taught, in tokens.
@Suite struct WrittenWordsTests {
  private func encoder(length: Int = 16, end: Int? = 4) throws -> ExampleEncoder {
    let scratch = try Scratch()
    let path = try scratch.file("tokenizer.json", Array(MaskedWordsTests.tokenizer.utf8))
    var encoder = ExampleEncoder(
      tokenizer: try TokenizerFile.load(tokenizerJSON: path), maximumLength: length, labels: [])
    encoder.endToken = end
    return encoder
  }

  private func row(_ columns: JSON.Members) -> DataRow { DataRow(columns, file: "texts", line: 1) }

  private func tags(_ example: TrainingExample) -> [Int?] {
    if case .tags(let tags) = example.target { tags } else { [] }
  }

  @Test func eachTokenOfATextLearnsTheNext() throws {
    let found = try NextWordsObjective.examples(of: row(["text": "eine a"]), encoder())
    #expect(found.map(\.sequences[0].ids) == [[2, 5, 6, 7, 3, 4]])
    #expect(tags(found[0]) == [5, 6, 7, 3, 4, nil])
  }

  @Test func theEndIsNotPutTwice() throws {
    let found = try NextWordsObjective.examples(of: row(["text": "a"]), encoder(end: 3))
    #expect(found.map(\.sequences[0].ids) == [[2, 7, 3]])
    #expect(
      try NextWordsObjective.examples(of: row(["text": "a"]), encoder(end: nil))[0].sequences[0].ids == [2, 7, 3])
  }

  @Test func windowsLearnWhatTheNextBeginsWith() throws {
    let found = try NextWordsObjective.examples(of: row(["text": "ein a day a"]), encoder(length: 3))
    #expect(found.map(\.sequences[0].ids) == [[2, 5, 7], [8, 7, 3]])
    #expect(found.map(tags) == [[5, 7, 8], [7, 3, 4]])
  }

  @Test func aPromptIsReadAndNotLearned() throws {
    let found = try NextWordsObjective.examples(of: row(["prompt": "a day ", "completion": "eine"]), encoder())
    #expect(found.map(\.sequences[0].ids) == [[2, 7, 8, 5, 6, 3, 4]])
    #expect(tags(found[0]) == [nil, nil, 5, 6, nil, 4, nil])
    #expect(
      try NextWordsObjective.examples(of: row(["prompt": "a day", "completion": " ein"]), encoder(length: 3)).map(tags)
        == [[nil, nil, 5]])
    #expect(
      try NextWordsObjective.examples(of: row(["prompt": "a day", "completion": " ein"]), encoder(length: 2)).isEmpty)
  }

  @Test(
    arguments: [
      [:], ["text": "a", "prompt": "a", "completion": "a"], ["prompt": "a"], ["completion": "a"], ["text": " "],
      ["text": 3],
    ] as [JSON.Members])
  func rowsThatAreNeitherAreRefused(_ columns: JSON.Members) throws {
    let encoder = try encoder()
    #expect(throws: Failure.self) { try NextWordsObjective.examples(of: row(columns), encoder) }
  }

  @Test func aDecoderReadsWhatItWrites() throws {
    let engine = Engine(kernels: Kernels.available[0], threads: 1)
    let model: JSON.Members = [
      "model_type": "t5", "vocab_size": 9, "d_model": 16, "d_kv": 8, "num_heads": 2, "d_ff": 32, "num_layers": 2,
      "decoder_start_token_id": 0,
    ]
    let fresh = ParameterSource(FreshParameters(seed: 3, engine: engine))
    let base = try BaseModels.model(JSONObject(model), from: fresh)
    let configuration: JSON.Members = ["head_type": "seq2seq_lm", "vocab_size": 9]
    let head = try LanguageModelHead(
      configuration: JSONObject(configuration), shape: base.shape, weights: fresh["head"])
    var encoder = try encoder()
    encoder.writes(with: base, endToken: 3)
    let rows: [JSON.Members] = [["text": "a day", "target": "eine"], ["text": "day", "target": "a a day"]]
    let examples = try rows.flatMap { try WrittenTextObjective.examples(of: row($0), encoder) }
    #expect(examples.map(\.tokenCount) == [4 + 4, 3 + 5])
    var generator = Randomness(seed: 1).generator(for: 1)
    let batch = TrainingBatch(examples, &generator), context = Context(engine)
    let loss = try TrainingModel(base: base, setup: nil, heads: [head]).loss(batch, in: context)
    #expect(loss.items == 4 + 5)

    let sources = TokenBatch([[2, 7, 8, 3], [2, 8, 3]].map { ($0, Array(repeating: 0, count: $0.count)) })
    let read = TokenBatch([[0, 2, 5, 6], [0, 2, 7, 7, 8]].map { ($0, Array(repeating: 0, count: $0.count)) })
    let model5 = try #require(base as? any EncoderDecoder)
    let encoded = try model5.encoded(sources, with: NoInterventions(), in: context)
    let states = try model5.decoded(read, over: encoded, continuing: nil, with: NoInterventions(), in: context)
    let logits = try head.logits(HeadInput(states, read.sequences, base: base, inverting: nil), in: context)
    let expected = context.crossEntropy(logits, labels: [2, 5, 6, 3, 2, 7, 7, 8, 3])
    #expect(abs(loss.value.values[0] - expected.values[0]) < 1e-5)
  }

  @Test func eachObjectiveHasItsBases() throws {
    let engine = Engine(kernels: Kernels.available[0], threads: 1)
    let fresh = ParameterSource(FreshParameters(seed: 3, engine: engine))
    let sizes: [(type: String, task: String, JSON.Members)] = [
      ("bert", "masked_lm", ["hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 1]),
      ("gpt2", "causal_lm", ["n_embd": 16, "n_head": 2, "n_layer": 1]),
      ("t5", "seq2seq_lm", ["d_model": 16, "d_kv": 8, "num_heads": 2, "d_ff": 32, "num_layers": 1]),
    ]
    for (type, task, members) in sizes {
      let configuration = members.with(["model_type": .string(type), "vocab_size": 9, "intermediate_size": 32])
      let base = try BaseModels.model(JSONObject(configuration), from: fresh)
      let words = Objectives.all.filter { $0.answer == .word && $0.suits(base) }
      #expect(words.map { $0.task } == [task])
      #expect(Objectives.answering(.word, on: base)?.task == task)
    }
  }
}
