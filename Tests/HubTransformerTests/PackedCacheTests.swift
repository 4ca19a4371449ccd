import HubModels
import Foundation
import HubWords
import HubTensor
import HubTesting
import HubTransformer
import Testing

@Suite struct PackedCacheTests {
  private let engine = Engine(kernels: Kernels.available[0], threads: 2)

  private func model() throws -> any BaseModel {
    let configuration: JSON.Members = [
      "model_type": "bert", "vocab_size": 20, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4,
      "intermediate_size": 48,
      "max_position_embeddings": 10, "type_vocab_size": 2,
    ]
    return try BERT(
      .bert, configuration: JSONObject(configuration),
      weights: ParameterSource(FreshParameters(seed: 3, engine: engine)))
  }

  private func answer(_ model: any BaseModel) throws -> [Float] {
    try model(TokenBatch([(ids: [1, 5, 9], typeIDs: [0, 0, 0])]), with: NoInterventions(), in: Context(engine)).values
  }

  @Test(arguments: Precision.allCases)
  func whatIsMappedAnswersTheSame(precision: Precision) throws {
    let scratch = try Scratch(), cache = PackedCache(folder: scratch.path, leastBytes: 0),
      fingerprint = Digest(of: "model".utf8)
    let plain = try model()
    plain.prepare(in: Context(engine, precision: precision))
    for _ in 0..<2 {
      let cached = try model()
      cache.prepare(cached, fingerprint: fingerprint, in: Context(engine, precision: precision))
      #expect(try answer(cached) == answer(plain))
    }
    #expect(scratch.listing.count == 1)
  }

  @Test func aFileThatDoesNotFitIsMadeAnew() throws {
    let scratch = try Scratch(), cache = PackedCache(folder: scratch.path, leastBytes: 0),
      fingerprint = Digest(of: "model".utf8)
    let context = Context(engine), first = try model()
    cache.prepare(first, fingerprint: fingerprint, in: context)
    let name = try #require(scratch.listing.first)
    let whole = try scratch.bytes(name)
    for spoilt in [
      Array(whole.dropLast(100)), Array("nothing".utf8),
      Array(
        String(decoding: whole[..<512], as: UTF8.self).replacing(
          "\"layout\":\"\(Kernels.layoutVersion)\"", with: "\"layout\":\"9\""
        ).utf8)
        + whole[512...],
    ] {
      try scratch.file(name, spoilt)
      let again = try model()
      cache.prepare(again, fingerprint: fingerprint, in: context)
      #expect(try answer(again) == answer(first))
      #expect(try scratch.bytes(name) == whole)
    }
    let small = try Scratch()
    PackedCache(folder: small.path).prepare(try model(), fingerprint: fingerprint, in: context)
    #expect(small.listing.isEmpty)
    let elsewhere = try model()
    PackedCache(folder: scratch("nowhere"), leastBytes: 0).prepare(elsewhere, fingerprint: fingerprint, in: context)
    #expect(try answer(elsewhere) == answer(first))
  }
}
