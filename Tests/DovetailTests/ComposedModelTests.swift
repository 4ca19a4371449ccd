import Dovetail
import Foundation
import HubWords
import HubRegistry
import HubAdapters
import HubTensor
import HubTesting
import HubWeights
import Testing

@Suite struct ComposedModelTests {
  private func classifier() throws -> (Workshop, ComposedModel) {
    let workshop = try Workshop()
    try workshop.addModel()
    try workshop.hub.install(from: workshop.adapter())
    return (workshop, try workshop.hub.compose("a", on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1))))
  }

  private func tagger() throws -> (Workshop, ComposedModel) {
    let workshop = try Workshop()
    try workshop.addModel()
    for name in ["de", "ner"] { try workshop.hub.install(from: workshop.adapter("stack_two/adapters/\(name)")) }
    return (
      workshop,
      try workshop.hub.compose(.stack("de", "ner"), on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1)))
    )
  }

  @Test func classifiesWithProbabilitiesThatAddUp() throws {
    let (_, model) = try classifier()
    let answer = try model.classify("the camera is great .")
    #expect(answer.labels.count == answer.logits.count)
    #expect(abs(answer.probabilities.reduce(0, +) - 1) < 1e-9)
    #expect(answer.probability == answer.probabilities.max())
    #expect(answer.label == answer.labels[answer.probabilities.firstIndex(of: answer.probability) ?? -1])
    #expect(try model.classify("the camera", pair: "is great").logits != model.classify("the camera is great").logits)
  }

  @Test func answersDoNotDependOnTheirNeighbours() throws {
    let (_, model) = try classifier()
    let texts = ["the camera is great .", "it", "not working .", ""]
    let alone = try texts.map { try model.classify($0).logits }
    let together = try model.predict(texts.map { .text($0) }).map { answer -> [Float] in
      try answer.get().first(Classification.self)?.logits ?? []
    }
    #expect(together == alone)
  }

  @Test func tagsWordsAtTheirFirstPiece() throws {
    let (_, model) = try tagger()
    let words = try model.tag("The camera workings.")
    #expect(words.map(\.text) == ["The", "camera", "workings", "."])
    #expect(words.allSatisfy { $0.label != nil && $0.logits?.count == model.head.labels.count })
    let given = try model.tag(words: ["The", "camera", "workings", "."])
    #expect(given.map(\.text) == words.map(\.text))
    #expect(given.map(\.logits) == words.map(\.logits))
  }

  /// Of a tokenizer of XLM-R's kind, whose words hold the punctuation after them.
  @Test func punctuationIsTaggedOnItsOwnWhateverTheTokenizer() throws {
    let workshop = try Workshop()
    try workshop.addModel(changing: Workshop.givePieces)
    for name in ["de", "ner"] { try workshop.hub.install(from: workshop.adapter("stack_two/adapters/\(name)")) }
    let model = try workshop.hub.compose(
      .stack("de", "ner"), on: workshop.hub.baseModel("tiny", engine: Engine(threads: 1)))
    let words = try model.tag("the cameras.")
    #expect(words.map(\.text) == ["the", "cameras", "."])
    #expect(words.map(\.logits) == (try model.tag(words: ["the", "cameras", "."]).map(\.logits)))
  }

  @Test func wordsBehindTheCutHaveNoTag() throws {
    let (_, model) = try tagger()
    let input = TextInput.words(["the", "camera", "is", "great"])
    let tags = try #require(model.predict([input], maximumLength: 4)[0].get().first(Tagging.self))
    #expect(tags.words.map { $0.label != nil } == [true, true, false, false])
  }

  @Test func aTextThatIsTooLongKeepsTheOthersAlive() throws {
    let (_, model) = try classifier()
    let long = Array(repeating: "great", count: 80).joined(separator: " ")
    let answers = try model.predict([.text("the camera"), .text(long), .text("great")])
    #expect(throws: Failure.self) { try answers[1].get() }
    _ = try (answers[0].get(), answers[2].get())
    _ = try model.predict([.text(long)], maximumLength: 1000)[0].get()
  }

  @Test func theWrongQuestionIsSaid() throws {
    #expect { try classifier().1.tag("great") } throws: { ($0 as? Failure)?.code == .wrongHead }
    #expect { try tagger().1.classify("great") } throws: { ($0 as? Failure)?.code == .wrongHead }
  }

  /// Two models that differ in one weight have different fingerprints; names and order of files make none.
  @Test func fingerprintsAreAboutTheWeights() throws {
    let workshop = try Workshop()
    try workshop.addModel("one")
    try workshop.addModel("same") { folder in
      try workshop.retensor(folder + "/model.safetensors") { $0.map { $0.renamed("bert." + $0.name) } }
    }
    try workshop.addModel("other") { folder in
      try workshop.retensor(folder + "/model.safetensors") { tensors in
        try tensors.map { tensor in
          guard tensor.name == "encoder.layer.2.output.dense.bias" else { return tensor }
          return try StoredTensor(name: tensor.name, shape: tensor.shape, floats: tensor.floats().map { $0 + 1e-3 })
        }
      }
    }
    let fingerprints = try ["one", "same", "other"].map {
      try workshop.hub.registry.baseModel($0).description.fingerprint
    }
    #expect(fingerprints[0] == fingerprints[1] && fingerprints[0] != fingerprints[2])
  }
}
