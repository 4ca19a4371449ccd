import Foundation
import HubAdapters
import HubGeneration
import HubTensor
import HubTransformer
import HubWords
import Testing

@testable import parity_runner

/// What a request is answered does not depend on which others are computed beside it.
@Suite struct GenerationBatchTests {
  private static func loaded(_ name: String, threads: Int) throws -> (Case, Loaded) {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/\(name)").path
    let parityCase = try Case(folder: folder)
    return (parityCase, try Loaded(parityCase, engine: Engine(threads: threads)))
  }

  /// Requests with different adapters, lengths and options, of which one joins at every other step.
  private static func texts(
    _ name: String, setups: [Composition?], threads: Int, together: Bool
  ) throws -> [[GeneratedSequence]] {
    let (parityCase, loaded) = try loaded(name, threads: threads)
    let head = try #require(loaded.heads["default"]?.head)
    func generator() throws -> Generator<ComposedWriter> {
      Generator(
        try ComposedWriter(loaded.base, engine: loaded.engine), vocabularySize: loaded.base.vocabularySize,
        maximalRows: 8)
    }
    var shared = try generator(), results: [Int: [GeneratedSequence]] = [:]
    for number in 0..<6 {
      var options = GenerationOptions()
      (options.maxNewTokens, options.logProbabilities) = (3 + number, 2)
      if number % 3 == 1 { options.beams = 3 }
      if number % 3 == 2 { (options.samples, options.seed) = (true, UInt64(number)) }
      let composition = setups[number % setups.count]
      let ids = parityCase.input.inputIDs[number % 3].filter { $0 > 1 }.map(Int32.init)
      let isDecoder = loaded.base is any Decoder
      let start = ComposedWriter.Start(
        group: number % setups.count, setup: try composition.map(loaded.setup), head: head, source: isDecoder ? [] : ids
      )
      let request = GenerationRequest(prompt: isDecoder ? ids : [7], options: options)
      if !together { shared = try generator() }
      let id = try shared.submit(request, start: start)
      for _ in 0..<(together ? 2 : 100) {
        for event in try shared.step() {
          if case .finished(let request, let texts) = event { results[together ? request : number] = texts }
        }
      }
      #expect(id == (together ? number : 0))
    }
    if together { results.merge(try shared.run()) { $1 } }
    return (0..<6).map { results[$0] ?? [] }
  }

  @Test(
    arguments: [
      ("gen_gpt2_batch_split", [Composition.adapter("a"), .adapter("b"), nil]),
      ("gen_mbart_two_languages", [.stack([.adapter("src"), .adapter("tgt")]), nil, .adapter("src")]),
    ] as [(String, [Composition?])])
  func `texts are the same bits alone and together, with one thread and two`(
    name: String, setups: [Composition?]
  ) throws {
    let alone = try Self.texts(name, setups: setups, threads: 1, together: false)
    #expect(alone.allSatisfy { !$0.isEmpty })
    #expect(try Self.texts(name, setups: setups, threads: 1, together: true) == alone)
    #expect(try Self.texts(name, setups: setups, threads: 2, together: true) == alone)
  }
}
