import HubTokenizers
import Dovetail
import Foundation
import HubTensor
import HubTesting
import HubTransformer
import HubWords
import Testing

@Suite struct EmbeddingTests {
  private static let texts = ["the camera is great .", "camera", "the camera is not working ."]

  /// The last hidden states of each text alone, computed without the embedder.
  private func states(_ base: Base) throws -> [[[Float]]] {
    try Self.texts.map { text in
      let encoding = try base.tokenizer.encode(text), context = Context(base.engine)
      let tokens = TokenBatch([(encoding.ids.map(Int.init), encoding.typeIDs.map(Int.init))])
      let hidden = try base.model(tokens, with: NoInterventions(), in: context)
      return (0..<hidden.rows).map { hidden.row($0) }
    }
  }

  private func expected(_ rows: [[Float]], _ pooling: Pooling) -> [Double] {
    (0..<rows[0].count).map { column in
      let values = rows.map { Double($0[column]) }, count = Double(rows.count)
      switch pooling {
      case .cls: return values[0]
      case .last: return values[rows.count - 1]
      case .max: return values.max() ?? 0
      case .mean: return values.reduce(0, +) / count
      case .meanSqrtLength: return values.reduce(0, +) / count.squareRoot()
      case .weightedMean:
        return values.enumerated().reduce(0) { $0 + Double($1.offset + 1) * $1.element } * 2 / (count * (count + 1))
      }
    }
  }

  @Test(arguments: Pooling.allCases) func eachPoolingIsWhatItsNameSays(_ pooling: Pooling) throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let base = try workshop.hub.baseModel("tiny")
    let states = try states(base)
    for normalizes in [false, true] {
      var form = EmbeddingForm()
      (form.pooling, form.normalizes) = (pooling, normalizes)
      let vectors = try TextEmbedder(workshop.hub, on: base, form: form).embeddings(of: Self.texts).map { try $0.get() }
      for (vector, rows) in zip(vectors, states) {
        var wanted = expected(rows, pooling)
        if normalizes {
          let length = wanted.reduce(0) { $0 + $1 * $1 }.squareRoot()
          wanted = wanted.map { $0 / length }
        }
        #expect(zip(vector, wanted).allSatisfy { abs(Double($0) - $1) < 1e-5 })
      }
    }
  }

  @Test func theFolderSaysHow() throws {
    let scratch = try Scratch()
    #expect(try EmbeddingForm(ofModel: scratch.path) == EmbeddingForm())
    try write(scratch, poolings: ["pooling_mode_cls_token"])
    let form = try EmbeddingForm(ofModel: scratch.path)
    #expect(form.pooling == .cls && form.normalizes && form.maximumLength == 64 && form.lowercases)
    #expect(form.prompt == "query: ")
  }

  @Test func whatIsNotSupportedIsRefused() throws {
    for poolings in [[], ["pooling_mode_cls_token", "pooling_mode_max_tokens"]] {
      let scratch = try Scratch()
      try write(scratch, poolings: poolings)
      #expect(code { _ = try EmbeddingForm(ofModel: scratch.path) } == "embedding/unsupported")
    }
    for module in ["sentence_transformers.models.Dense", "sentence_transformers.models.CNN"] {
      let scratch = try Scratch()
      _ = try scratch.file("modules.json", Array(#"[{"path": "2", "type": "\#(module)"}]"#.utf8))
      #expect(code { _ = try EmbeddingForm(ofModel: scratch.path) } == "embedding/unsupported")
    }
    for modules in [
      "[{", "{}", "[3]", "[{}]", #"[{"path": "../x", "type": "Pooling"}]"#, #"[{"path": "/x", "type": "Pooling"}]"#,
    ] {
      let scratch = try Scratch()
      _ = try scratch.file("modules.json", Array(modules.utf8))
      #expect(throws: Failure.self) { try EmbeddingForm(ofModel: scratch.path) }
    }
    let scratch = try Scratch()
    try write(scratch, poolings: ["pooling_mode_cls_token"])
    _ = try scratch.file("sentence_bert_config.json", Array(#"{"max_seq_length": -3}"#.utf8))
    #expect(code { _ = try EmbeddingForm(ofModel: scratch.path) } == "embedding/unsupported")
  }

  private func write(_ scratch: Scratch, poolings: [String]) throws {
    let modules = ["Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"].map { name, path in
      JSON.object(["path": .string(path), "type": .string("sentence_transformers.models." + name)])
    }
    let pooling = poolings.reduce(into: JSON.Members()) { $0[$1] = true }
    try FileManager.default.createDirectory(atPath: scratch("1_Pooling"), withIntermediateDirectories: true)
    for (name, json) in [
      ("modules.json", JSON.array(modules)), ("1_Pooling/config.json", .object(pooling)),
      ("sentence_bert_config.json", ["max_seq_length": 64, "do_lower_case": true]),
      ("config_sentence_transformers.json", ["prompts": ["query": "query: "], "default_prompt_name": "query"]),
    ] {
      _ = try scratch.file(name, Array(json.text().utf8))
    }
  }

  @Test func aTextThatIsTooLongKeepsTheOthersFromNothing() throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let base = try workshop.hub.baseModel("tiny"), long = String(repeating: "camera ", count: base.model.maximumLength)
    let embedder = try TextEmbedder(workshop.hub, on: base, form: EmbeddingForm())
    let vectors = try embedder.embeddings(of: ["the", long, "camera"])
    #expect(vectors.map { (try? $0.get()) != nil } == [true, false, true])
    #expect(try vectors[2].get() == embedder.embeddings(of: ["camera"])[0].get())
    var form = EmbeddingForm()
    form.maximumLength = 8
    #expect(
      try TextEmbedder(workshop.hub, on: base, form: form).embeddings(of: [long])[0].get().count == embedder.width)
  }

  @Test func anAdapterChangesTheVector() throws {
    let workshop = try Workshop()
    try workshop.addModel()
    try workshop.hub.install(from: workshop.adapter(), as: AdapterName("a"))
    let base = try workshop.hub.baseModel("tiny")
    let vectors = try [nil, Composition.adapter("a")].map { composition in
      try TextEmbedder(workshop.hub, on: base, composition: composition).embeddings(of: ["camera"])[0].get()
    }
    #expect(vectors[0] != vectors[1])
  }
}
