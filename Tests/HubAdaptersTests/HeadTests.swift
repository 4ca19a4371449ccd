import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import HubWeights
import Testing

@Suite struct HeadTests {
  /// The rows and columns that each head answers two sequences of four and three tokens with.
  private static let heads: [(configuration: JSON.Members, rows: Int, columns: Int)] = [
    (["head_type": "classification", "num_labels": 3, "layers": 2, "activation_function": "tanh"], 2, 3),
    (["head_type": "multilabel_classification", "num_labels": 5], 2, 5),
    (["head_type": "multiple_choice", "num_choices": 2, "layers": 2], 1, 2),
    (["head_type": "tagging", "num_labels": 4], 7, 4),
    (["head_type": "question_answering", "num_labels": 2], 7, 2),
    (["head_type": "masked_lm", "vocab_size": 12, "embedding_size": 8, "activation_function": "gelu"], 7, 12),
    (["head_type": "causal_lm", "vocab_size": 12], 7, 12),
    (["head_type": "seq2seq_lm", "vocab_size": 12], 7, 12),
    (
      [
        "head_type": "udapter_parsing", "num_labels": 3, "arc_size": 4, "relation_size": 2, "languages": ["de"],
        "language": "de",
      ], 8, 4
    ),
    (["head_type": "dependency_parsing", "num_labels": 3, "label2id": ["nsubj": 0, "obj": 1, "root": 2]], 8, 4),
  ]

  private func head(_ configuration: JSON.Members, _ model: TinyModel) throws -> any Head {
    let c = JSONObject(configuration), name = try c.string("head_type")
    let type = try #require(Heads.all.first { $0.types.contains(name) })
    return try type.init(
      configuration: c, shape: model.base.shape, weights: ParameterSource(Spread(seed: 4, engine: model.engine)))
  }

  @Test func everyHeadAnswersWhatItSays() throws {
    #expect(
      Set(Heads.all.flatMap { $0.types }).subtracting(PlugInTests.names)
        == Set(Self.heads.compactMap { $0.configuration["head_type"]?.string }))
    let model = try TinyModel(), hidden = try model.hidden(nil)
    for item in Self.heads {
      let head = try head(item.configuration, model), context = Context(model.engine)
      let logits = try head.logits(
        HeadInput(hidden, model.tokens.sequences, base: model.base, words: [[1..<2, 2..<4], [1..<2]]), in: context)
      #expect(logits.rows == item.rows && logits.columns == item.columns, "\(type(of: head))")
      #expect((head.answer.unit == .token) == (item.rows == 7))
      #expect(head.labels.isEmpty || head.labels.count == item.columns - (head.answer == .tree ? 1 : 0))
    }
  }

  @Test func theInverseUndoesAnInvertibleAdapter() throws {
    let model = try TinyModel(), context = Context(model.engine)
    let setup = try model.setup("a", ["a": model.adapter(bottlenecks[4].configuration, seed: 2)])
    let inverting = try #require(setup.inverting), x = try model.hidden(nil)
    let there = inverting(x, in: context)
    #expect(there.values != x.values)
    #expect(zip(inverting.inverse(there, in: context).values, x.values).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func choicesMustAddUp() throws {
    let model = try TinyModel(), head = try head(["head_type": "multiple_choice", "num_choices": 3], model)
    #expect {
      try head(model.hidden(nil), model.tokens.sequences, base: model.base, in: Context(model.engine))
    } throws: {
      ($0 as? Failure)?.code == .unsupportedHead
    }
  }
}
