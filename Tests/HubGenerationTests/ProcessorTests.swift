import Foundation
import HubWords
import Testing

@testable import HubGeneration

@Suite struct ProcessorTests {
  private let removed = -Float.infinity

  /// What becomes of scores, with all that the options ask for.
  private func processed(
    _ scores: [Float], after tokens: [Int32], prompt: Int = 1, source: [Int32] = [],
    _ change: (inout GenerationOptions) -> Void
  ) throws -> [Float] {
    var options = GenerationOptions()
    options.topK = 0
    change(&options)
    try options.check(vocabularySize: scores.count)
    var text = WrittenText(prompt: Array(tokens.prefix(prompt)), source: source)
    text.tokens += tokens.dropFirst(prompt)
    var result = scores
    try ScoreProcessors(options, promptCount: prompt).process(&result, after: text)
    return result
  }

  @Test func `penalties`() throws {
    let scores: [Float] = [2, -2, 1, 0.5]
    #expect(try processed(scores, after: [0, 1, 1]) { $0.repetitionPenalty = 2 } == [1, -4, 1, 0.5])
    #expect(try processed(scores, after: [0, 1, 1]) { $0.presencePenalty = 0.5 } == [2, -2.5, 1, 0.5])
    #expect(try processed(scores, after: [0, 1, 1]) { $0.frequencyPenalty = 0.5 } == [2, -3, 1, 0.5])
    #expect(try processed(scores, after: [0], source: [1, 2]) { $0.sourceRepetitionPenalty = 2 } == [2, -1, 2, 0.5])
  }

  @Test func `sequences that may not be written again`() throws {
    let scores: [Float] = [0, 0, 0, 0]
    #expect(try processed(scores, after: [1, 2, 3, 1, 2]) { $0.noRepeatedTokens = 3 } == [0, 0, 0, removed])
    #expect(try processed(scores, after: [1, 2]) { $0.noRepeatedTokens = 1 } == [0, removed, removed, 0])
    #expect(
      try processed(scores, after: [0, 1], source: [1, 3, 1, 2]) { $0.noRepeatedSourceTokens = 2 }
        == [0, 0, removed, removed])
    #expect(
      try processed(scores, after: [0, 1]) {
        ($0.forbiddenSequences, $0.endTokens) = ([[3], [1, 2], [2, 0], [1]], [1])
      } == [0, 0, removed, removed])
  }

  @Test func `biases add up where their sequence fits`() throws {
    #expect(
      try processed([0, 0, 0], after: [0, 1]) {
        $0.biases = [.init([2], 1), .init([1, 2], 2), .init([0, 1, 2], 4), .init([0, 1], 8)]
      } == [0, 0, 3])
  }

  @Test func `lengths and forced tokens`() throws {
    let scores: [Float] = [1, 1, 1, 1]
    #expect(try processed(scores, after: [0, 1]) { ($0.minLength, $0.endTokens) = (3, [2]) } == [1, 1, removed, 1])
    #expect(try processed(scores, after: [0, 1, 1]) { ($0.minLength, $0.endTokens) = (3, [2]) } == scores)
    #expect(try processed(scores, after: [0, 1]) { ($0.minNewTokens, $0.endTokens) = (2, [2]) } == [1, 1, removed, 1])
    #expect(try processed(scores, after: [0]) { $0.forcedFirstToken = 3 } == [removed, removed, removed, 0])
    #expect(try processed(scores, after: [0, 1]) { $0.forcedFirstToken = 3 } == scores)
    #expect(
      try processed(scores, after: [0, 1]) { ($0.forcedLastTokens, $0.maxNewTokens) = ([1, 2], 2) }
        == [removed, 0, 0, removed])
    #expect(try processed(scores, after: [0, 1]) { ($0.forcedLastTokens, $0.maxNewTokens) = ([1], 3) } == scores)
    #expect(
      try processed([1, -1, 1, 1], after: [0, 1, 1, 1]) {
        ($0.lengthDecay, $0.endTokens) = (.init(start: 1, factor: 2), [0, 1])
      } == [4, 2, 1, 1])
    #expect(
      try processed(scores, after: [0, 1], prompt: 2) { $0.tokensSuppressedAtBegin = [1] } == [1, removed, 1, 1])
    #expect(
      try processed(scores, after: [0, 3]) { ($0.tokensSuppressedAtBegin, $0.forcedFirstToken) = ([1], 3) }
        == [1, removed, 1, 1])
  }

  /// Probabilities of 0.5, 0.25, 0.15, 0.1 as logits.
  private let four: [Float] = [0.5, 0.25, 0.15, 0.1].map { Float(Double.logarithm($0)) }

  private func kept(_ change: (inout GenerationOptions) -> Void) throws -> [Bool] {
    try processed(four, after: [0]) {
      $0.samples = true
      change(&$0)
    }.map { $0 > removed }
  }

  @Test func `what sampling leaves out`() throws {
    #expect(try kept { $0.topK = 2 } == [true, true, false, false])
    #expect(try kept { $0.topP = 0.7 } == [true, true, false, false])
    #expect(try kept { $0.topP = 0.76 } == [true, true, true, false])
    #expect(try kept { $0.topP = 1e-6 } == [true, false, false, false])
    #expect(try kept { $0.minP = 0.4 } == [true, true, false, false])
    #expect(try kept { $0.epsilonCutoff = 0.12 } == [true, true, true, false])
    #expect(try kept { $0.epsilonCutoff = 0.9 } == [true, false, false, false])
    // The entropy is 1.2080 nats: sqrt(0.2) exp(-1.208) = 0.1336.
    #expect(try kept { $0.etaCutoff = 0.2 } == [true, true, true, false])
    // Distances of -log p from it: 0.515, 0.178, 0.689, 1.095.
    #expect(try kept { $0.typicalP = 0.2 } == [false, true, false, false])
    #expect(try kept { $0.typicalP = 0.6 } == [true, true, false, false])
    #expect(try processed(four, after: [0]) { ($0.samples, $0.temperature) = (true, 2) } == four.map { $0 / 2 })
    // The temperature comes first: at 4 the four are 0.35, 0.30, 0.26 …
    #expect(try kept { ($0.temperature, $0.minP) = (4, 0.7) } == [true, true, true, false])
  }

  @Test func `equal scores at the limit all stay`() throws {
    #expect(
      try processed([1, 2, 1, 0], after: [0]) { ($0.samples, $0.topK) = (true, 2) } == [1, 2, 1, removed])
  }
}

extension Double {
  static func logarithm(_ value: Double) -> Double { Foundation.log(value) }
}
