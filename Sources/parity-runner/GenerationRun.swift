import HubAdapters
import HubGeneration
import HubTensor
import HubTransformer
import HubWeights
import HubWords

/// Runs one case that writes texts.
struct GenerationRun {
  private let parityCase: Case
  private let loaded: Loaded
  private let options: GenerationOptions
  private(set) var outputs: [StoredTensor] = []

  init(_ parityCase: Case, _ generate: JSONObject, engine: Engine) throws {
    self.parityCase = parityCase
    loaded = try Loaded(parityCase, engine: engine)
    var options = try GenerationOptions(ofModel: parityCase.base)
    try options.merge(generate)
    options.keepsScores = options.beams == 1
    self.options = options
  }

  mutating func run() throws {
    guard let name = (parityCase.heads + loaded.headsOfCheckpoint).first, let head = loaded.heads[name]?.head else {
      throw Failure(.unsupportedCase, "generation without a head")
    }
    let setups = try setups()
    var generator = Generator(
      try ComposedWriter(loaded.base, engine: loaded.engine), vocabularySize: loaded.base.vocabularySize)
    let prompts = try parityCase.input.inputIDs.indices.map { try prompt($0) }
    for (row, prompt) in prompts.enumerated() {
      let (group, setup) = setups[row]
      let request = GenerationRequest(
        prompt: prompt.read, countedPrompt: prompt.counted, source: prompt.source, options: options)
      try generator.submit(
        request, start: ComposedWriter.Start(group: group, setup: setup, head: head, source: prompt.source))
    }
    let results = try generator.run().sorted { $0.key < $1.key }.map(\.value)
    try write(results, prompts.map(\.counted))
  }

  /// What the decoder reads and counts, and what the encoder reads.
  private func prompt(_ row: Int) throws -> (read: [Int32], counted: [Int32], source: [Int32]) {
    let ids = parityCase.input.inputIDs[row].map(Int32.init)
    let unmasked = zip(ids, parityCase.input.attentionMask[row]).filter { $1 != 0 }.map(\.0)
    guard loaded.base is any EncoderDecoder else { return (unmasked, ids, []) }
    guard let start = options.decoderStartToken ?? options.beginToken else {
      throw Failure(.unsupportedCase, "no token for the decoder to begin with")
    }
    let read = [start] + (parityCase.input.decoderIDs?[row].map(Int32.init) ?? [])
    return (read, read, unmasked)
  }

  /// The setup of each row: of a `batch_split` the part that the row belongs to.
  private func setups() throws -> [(group: Int, setup: Setup?)] {
    let rows = parityCase.input.inputIDs.count
    if case .batchSplit(let children, let sizes)? = parityCase.setup {
      let parts = try children.map(loaded.setup)
      return zip(parts, sizes).enumerated().flatMap { index, part in
        Array(repeating: (index, part.0), count: part.1)
      }
    }
    let setup = try (parityCase.peft == nil ? parityCase.setup : .adapter(Loaded.peftName)).map(loaded.setup)
    return Array(repeating: (0, setup), count: rows)
  }

  private mutating func write(_ results: [[GeneratedSequence]], _ prompts: [[Int32]]) throws {
    // A beam search of the reference takes the padding id 0 for none.
    let own = options.padToken.flatMap { $0 == 0 && options.beams > 1 ? nil : $0 }
    let pad = Float(own ?? options.endTokens.first ?? 0)
    let rows = zip(prompts, results).flatMap { prompt, sequences in sequences.map { prompt + $0.tokens } }
    let length = rows.map(\.count).max() ?? 0
    try output(
      "sequences", [rows.count, length],
      rows.flatMap { row in row.map(Float.init) + Array(repeating: pad, count: length - row.count) })
    let all = results.flatMap(\.self)
    if options.beams > 1 { try output("sequences_scores", [all.count], all.map { $0.score ?? .nan }) }
    let steps = options.samples ? 1 : all.map(\.scores.count).max() ?? 0
    for step in 0..<steps {
      // Rows that have ended are not compared.
      let scores = all.flatMap { sequence in
        sequence.scores.indices.contains(step)
          ? sequence.scores[step].map { $0 == -.infinity ? -1e30 : $0 }
          : Array(repeating: 0, count: loaded.base.vocabularySize)
      }
      try output(options.samples ? "processed.0" : "scores.\(step)", [all.count, loaded.base.vocabularySize], scores)
    }
  }

  private mutating func output(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    outputs.append(try StoredTensor(name: name, shape: shape, floats: values))
  }
}
