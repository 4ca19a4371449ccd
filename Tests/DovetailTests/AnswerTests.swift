import Dovetail
import Foundation
import HubAdapters
import HubBundle
import HubWords
import HubTensor
import HubTesting
import Testing

/// Each head answers in kind.
@Suite struct AnswerTests {
  private let workshop: Workshop
  private let base: Base

  init() throws {
    workshop = try Workshop()
    try workshop.addModel { folder in
      try FileManager.default.createDirectory(atPath: folder + "/1_Pooling", withIntermediateDirectories: false)
      try Data("{}".utf8).write(to: URL(filePath: folder + "/1_Pooling/config.json"))
    }
    base = try workshop.hub.baseModel("tiny", engine: Engine(threads: 1))
  }

  private func model(_ name: String, _ head: JSON.Members, on base: Base? = nil) throws -> ComposedModel {
    let folder = try workshop.freshBundle(name, ["architecture": "lhuc"], layers: 3, head: head)
    try workshop.hub.install(from: folder)
    return try workshop.hub.compose(.adapter(name), on: base ?? self.base)
  }

  @Test func labelsByThemselvesHaveSigmoids() throws {
    let model = try model("many", ["head_type": "multilabel_classification", "num_labels": 3])
    let answer = try model.answer(.text("the camera is great ."), as: MultiLabel.self)
    for (probability, logit) in zip(answer.probabilities, answer.logits) {
      #expect(abs(probability - 1 / (1 + exp(-Double(logit)))) < 1e-12)
    }
    #expect(answer.chosen == zip(answer.labels, answer.logits).filter { $0.1 > 0 }.map(\.0))
  }

  @Test func oneLabelIsANumber() throws {
    let model = try model("score", ["head_type": "classification", "num_labels": 1])
    _ = try model.answer(.text("the camera"), as: Regression.self)
    #expect { try model.classify("the camera") } throws: { ($0 as? Failure)?.code == .wrongHead }
  }

  @Test func choosesOneOfSeveralTexts() throws {
    let model = try model(
      "choice", ["head_type": "multiple_choice", "num_choices": 3, "layers": 2, "activation_function": "tanh"])
    let texts = ["great", "not working", "the camera"]
    let answer = try model.answer(.choices("the camera is", texts), as: Choice.self)
    #expect(answer.logits.count == 3 && answer.best == answer.logits.firstIndex(of: answer.logits.max() ?? 0))
    let turned = try model.answer(.choices("the camera is", texts.reversed()), as: Choice.self)
    #expect(zip(turned.logits.reversed(), answer.logits).allSatisfy { abs($0 - $1) < 1e-5 })
    for wrong in [TextInput.choices("the camera", ["great"]), .text("the camera")] {
      let failure = #expect(throws: Failure.self) { try model.answer(wrong, as: Choice.self) }
      #expect(failure?.code == .wrongInput)
    }
  }

  @Test func spansBeginAndEndWithWordsWhateverTheTokenizer() throws {
    try workshop.addModel("pieces", changing: Workshop.givePieces)
    let model = try model(
      "qa", ["head_type": "question_answering"], on: workshop.hub.baseModel("pieces", engine: Engine(threads: 1)))
    for span in try model.answer("the cameras", in: "the cameras the  camera .").spans {
      #expect(span.text.first?.isWhitespace == false && span.text.last?.isWhitespace == false)
    }
  }

  @Test func aTokenThatTheModelDoesNotKnowKeepsTheOthersAlive() throws {
    try workshop.addModel("more") {
      try Data(#"{"<e1>": 5000}"#.utf8).write(to: URL(filePath: $0 + "/added_tokens.json"))
    }
    let model = try model(
      "one", ["head_type": "classification", "num_labels": 2],
      on: workshop.hub.baseModel("more", engine: Engine(threads: 1)))
    let answers = try model.predict([.text("the camera"), .text("the <e1>"), .text("great")])
    #expect(throws: Failure.self) { try answers[1].get() }
    _ = try (answers[0].get(), answers[2].get())
  }

  @Test func findsSpansInTheTextAndNotInTheQuestion() throws {
    let model = try model("qa", ["head_type": "question_answering"])
    let text = "the camera is great . " + String(repeating: "not working . ", count: 60)
    let spans = try model.answer("is the camera great", in: text)
    #expect(!spans.spans.isEmpty && spans.spans.count <= 5)
    let scalars = Array(text.unicodeScalars)
    for span in spans.spans {
      #expect(span.text == String(String.UnicodeScalarView(scalars[span.scalars])) && !span.text.isEmpty)
    }
    #expect(spans.spans.map(\.score) == spans.spans.map(\.score).sorted(by: >))
    #expect(abs(spans.spans.reduce(spans.probabilityOfNone) { $0 + $1.probability } - 1) < 1e-9)
  }

  @Test func branchesAnswerAsTheyDoAlone() throws {
    let first = try model("one", ["head_type": "classification", "num_labels": 2]),
      second = try model("two", ["head_type": "tagging", "num_labels": 3])
    let both = try workshop.hub.compose(.parallel("one", "two"), on: base)
    let texts: [TextInput] = [.text("the camera is great ."), .text("not working")]
    for (text, answer) in zip(texts, try both.predict(texts)) {
      let answers = try answer.get().answers
      #expect(answers.map(\.head) == ["one", "two"])
      let label = try #require(answers[0].answer as? Classification), tags = try #require(answers[1].answer as? Tagging)
      let alone = try first.answer(text, as: Classification.self)
      #expect(zip(label.logits, alone.logits).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(try tags.words.map(\.label) == second.answer(text, as: Tagging.self).words.map(\.label))
    }
  }

  @Test func partsOfABatchAnswerWithTheirOwnHeads() throws {
    let first = try model("one", ["head_type": "classification", "num_labels": 2]),
      second = try model("two", ["head_type": "tagging", "num_labels": 3])
    let split = try workshop.hub.compose(Composition(parsing: "batch_split(one, two, sequences=[1, 2])"), on: base)
    let texts: [TextInput] = [.text("the camera is great ."), .text("not working"), .text("the camera")]
    let answers = try split.predict(texts)
    let label = try #require(answers[0].get().first(Classification.self))
    let alone = try first.answer(texts[0], as: Classification.self)
    #expect(zip(label.logits, alone.logits).allSatisfy { abs($0 - $1) < 1e-5 })
    for index in 1...2 {
      let tags = try #require(answers[index].get().first(Tagging.self))
      #expect(try tags.words.map(\.label) == second.answer(texts[index], as: Tagging.self).words.map(\.label))
    }
    #expect(throws: Failure.self) { try split.predict(Array(texts.prefix(2))) }
  }

  @Test func aFoldedAdapterAnswersAsItDoesBeside() throws {
    try workshop.hub.install(from: workshop.adapter("lora_batch_split/adapters/a"), as: AdapterName("lora"))
    let folder = workshop.scratch("folded")
    try workshop.hub.fold("lora", into: "tiny", to: folder)
    try workshop.hub.addBaseModel(folder: folder, as: AdapterName("folded"), copying: false)
    #expect(FileManager.default.contents(atPath: folder + "/1_Pooling/config.json") == Data("{}".utf8))
    let head = try model("one", ["head_type": "classification", "num_labels": 2]).head
    let beside = ComposedModel(
      base: base, setup: try workshop.hub.compose("lora", on: base, head: "one").setup, head: head)
    let folded = ComposedModel(base: try workshop.hub.baseModel("folded", engine: base.engine), setup: nil, head: head)
    let text = "the camera is great ."
    let one = try beside.classify(text), other = try folded.classify(text)
    let bare = try ComposedModel(base: base, setup: nil, head: head).classify(text)
    #expect(
      zip(one.logits, other.logits).allSatisfy { abs($0 - $1) < 1e-4 }
        && zip(one.logits, bare.logits).contains { abs($0 - $1) > 1e-3 })
    #expect(throws: Failure.self) { try workshop.hub.fold("one", into: "tiny", to: workshop.scratch("other")) }
  }

  @Test func requestsWithSetupsOfTheirOwnShareAPass() throws {
    let first = try model("one", ["head_type": "classification", "num_labels": 2]),
      second = try model("two", ["head_type": "classification", "num_labels": 3])
    let bare = try workshop.hub.compose(nil, on: base, head: "one")
    let requests = [
      Request(.text("the camera"), of: first), Request(.text("is great ."), of: second),
      Request(.text("not"), of: bare), Request(.text("working"), of: first),
    ]
    for (request, answer) in zip(requests, try base.answers(to: requests)) {
      let together = try #require(answer.get().first(Classification.self))
      let alone = try request.model.answer(request.input, as: Classification.self)
      #expect(zip(together.logits, alone.logits).allSatisfy { abs($0 - $1) < 1e-5 } && together.labels == alone.labels)
    }
  }

  @Test func findsTheAdapterOfATask() throws {
    try workshop.hub.install(
      from: workshop.freshBundle(
        "ner", ["architecture": "lhuc"], layers: 3, head: ["head_type": "tagging", "num_labels": 2]))
    #expect(try workshop.hub.setup(forTask: "ner", on: base) == .adapter("ner@1.0.0"))
    #expect(throws: Failure.self) { try workshop.hub.setup(forTask: "pos", on: base) }
    #expect(throws: Failure.self) { try workshop.hub.setup(forTask: "ner", in: "sw", on: base) }
  }

  @Test func explainsWithoutLoading() throws {
    _ = try model("one", ["head_type": "classification", "num_labels": 2])
    let report = try workshop.hub.explain(Composition(parsing: "drop(0, one)"), on: "tiny")
    #expect(
      report.adapters.map(\.layers) == ["1-2"] && report.adapters[0].parameterCount == 3 * 32
        && report.heads == ["one (classification)"])
    #expect(report.copies == 1 && report.siteCount == 2)
  }
}
