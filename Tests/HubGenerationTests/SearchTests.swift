import HubGeneration
import HubWords
import Testing

@Suite struct SearchTests {
  @Test func `greedy and beam searches write what transformers writes`() throws {
    let searches = try Searches()
    #expect(searches.cases.count == 120)
    for (number, one) in searches.cases.enumerated() {
      var generator = Generator(searches.model, vocabularySize: searches.model.last.count)
      let options = try GenerationOptions(one.object("options"))
      let id = try generator.submit(GenerationRequest(prompt: one.ids("prompt"), options: options), start: [])
      let results = try generator.run()[id] ?? []
      let expected = try one.array("sequences").map { ($0.integers ?? []).map { Int32($0) } }
      #expect(results.map(\.tokens) == expected, "case \(number): \(one.members)")
      guard let scores = one.members["scores"]?.array else { continue }
      #expect(results.count == scores.count)
      for (result, score) in zip(results, scores) {
        let (got, wanted) = (result.score ?? .nan, Float(score.number ?? .nan))
        #expect(abs(got - wanted) <= 1e-4 * max(1, abs(wanted)), "case \(number)")
      }
    }
  }

  @Test func `requests that join and leave get what they get alone`() throws {
    let searches = try Searches()
    func request(_ one: JSONObject, seed: Int) throws -> GenerationRequest {
      var options = try GenerationOptions(one.object("options"))
      if options.beams == 1 {
        (options.samples, options.seed, options.returnedSequences) = (true, UInt64(seed), 1 + seed % 3)
      }
      return GenerationRequest(prompt: try one.ids("prompt"), options: options)
    }
    let requests = try searches.cases.enumerated().map { try request($1, seed: $0) }
    let alone = try requests.map { request in
      var generator = Generator(searches.model, vocabularySize: 24)
      return try generator.submit(request, start: []) == 0 ? try generator.run()[0] : nil
    }
    var together = Generator(searches.model, vocabularySize: 24, maximalRows: 9)
    var results: [Int: [GeneratedSequence]] = [:], waiting = requests[...]
    while !together.isIdle || !waiting.isEmpty {
      for request in waiting.prefix(2) { try together.submit(request, start: []) }
      waiting = waiting.dropFirst(2)
      for event in try together.step() {
        if case .finished(let request, let sequences) = event { results[request] = sequences }
      }
    }
    for index in requests.indices { #expect(results[index] == alone[index], "request \(index)") }
  }

  @Test func `a request that fails leaves the others alone`() throws {
    let searches = try Searches()
    var stuck = GenerationOptions()
    stuck.suppressedTokens = (0..<24).map { $0 }
    var plain = GenerationOptions()
    plain.maxNewTokens = 4
    var generator = Generator(searches.model, vocabularySize: 24)
    try generator.submit(GenerationRequest(prompt: [1], options: stuck), start: [])
    try generator.submit(GenerationRequest(prompt: [1], options: plain), start: [])
    var (failed, finished): ([Int], [Int]) = ([], [])
    while !generator.isIdle {
      for event in try generator.step() {
        if case .failed(let id, let failure) = event, failure.code == .generationStuck { failed.append(id) }
        if case .finished(let id, _) = event { finished.append(id) }
      }
    }
    #expect(failed == [0])
    #expect(finished == [1])
  }

  @Test func `logits that are not finite are an error`() throws {
    let table = Array(repeating: [Float.nan, 1], count: 2)
    var generator = Generator(TableModel(last: table, before: table), vocabularySize: 2)
    try generator.submit(GenerationRequest(prompt: [1]), start: [])
    let failure = #expect(throws: Failure.self) { try generator.run() }
    #expect(failure?.code == .generationNotFinite)
  }

  @Test func `log-probabilities are those of the model, before all processors`() throws {
    let table: [[Float]] = Array(repeating: [0, 1, 2], count: 3),
      nothing: [[Float]] = Array(repeating: [0, 0, 0], count: 3)
    var options = GenerationOptions()
    (options.maxNewTokens, options.logProbabilities, options.suppressedTokens) = (1, 2, [2])
    var generator = Generator(TableModel(last: table, before: nothing), vocabularySize: 3)
    try generator.submit(GenerationRequest(prompt: [0], options: options), start: [])
    let detail = try #require(try generator.run()[0]?.first?.details.first)
    // log(1 + e + e²) = 2.40760596
    #expect(abs(detail.logProbability - (1 - 2.407606)) < 1e-6)
    #expect(detail.alternatives.map(\.token) == [2, 1])
    #expect(abs((detail.alternatives.first?.logProbability ?? 0) - (2 - 2.407606)) < 1e-6)
  }
}
