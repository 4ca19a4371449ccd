import Foundation
import HubWords
import HubTensor
import Testing

@testable import HubAdapters
@testable import HubTransformer

@Suite struct DependencyTests {
  /// Whether all words hang on the root, and exactly one directly.
  private func isTree(_ heads: [Int]) -> Bool {
    heads.count { $0 == 0 } == 1
      && heads.indices.allSatisfy { word in
        var node = word + 1
        for _ in 0...heads.count where node != 0 { node = heads[node - 1] }
        return node == 0
      }
  }

  private func total(_ heads: [Int], _ scores: [[Double]]) -> Double {
    zip(heads, scores).reduce(0) { $0 + $1.1[$1.0] }
  }

  /// The best of all trees there are.
  private func best(_ scores: [[Double]]) -> Double {
    let count = scores.count
    var best = -Double.infinity, number = 0, candidates = 1
    for _ in 0..<count { candidates *= count + 1 }
    while number < candidates {
      var rest = number
      let heads = (0..<count).map { _ in
        defer { rest /= count + 1 }
        return rest % (count + 1)
      }
      if isTree(heads) { best = max(best, total(heads, scores)) }
      number += 1
    }
    return best
  }

  @Test func spanningTreesAreTheBestOfAll() {
    var generator = SplitMix(seed: 7)
    for round in 0..<400 {
      let count = 1 + round % 5
      // Whole numbers in every second round: there, many trees are equally good.
      let scores = (0..<count).map { _ in
        (0...count).map { _ in
          let score = Double.random(in: -5...5, using: &generator)
          return round % 2 == 0 ? score : score.rounded()
        }
      }
      let heads = SpanningTree.heads(of: scores)
      #expect(isTree(heads), "\(heads) of \(scores)")
      #expect(abs(total(heads, scores) - best(scores)) < 1e-9, "\(heads) of \(scores)")
    }
  }

  @Test func spanningTreesOfWhatAreNoScores() {
    #expect(SpanningTree.heads(of: []).isEmpty)
    #expect(SpanningTree.heads(of: [[.nan, 3]]) == [0])
    let odd: [[Double]] = [[1, 0, .nan, 2], [.infinity, .nan, 0, .nan], [.nan, .nan, .nan, 0]]
    #expect(isTree(SpanningTree.heads(of: odd)))
    #expect(isTree(SpanningTree.heads(of: Array(repeating: Array(repeating: .nan, count: 5), count: 4))))
  }

  /// Two cycles within each other have to be opened.
  @Test func spanningTreesOfLongSentences() {
    var generator = SplitMix(seed: 3)
    let scores = (0..<120).map { word in
      (0...120).map { abs($0 - 1 - word) == 1 ? 9.0 : Double.random(in: 0...1, using: &generator) }
    }
    #expect(isTree(SpanningTree.heads(of: scores)))
  }

  private func head(
    _ model: TinyModel, _ options: JSON.Members = ["head_type": "dependency_parsing"]
  ) throws -> DependencyHead {
    let configuration = options.with(["num_labels": 3, "label2id": ["nsubj": 0, "obj": 1, "root": 2]])
    return try DependencyHead(
      configuration: JSONObject(configuration), shape: model.base.shape,
      weights: ParameterSource(Spread(seed: 4, engine: model.engine)))
  }

  private static let generated: JSON.Members = [
    "head_type": "udapter_parsing", "languages": ["de", "yo"], "language": "yo", "language_size": 2, "features": 3,
    "arc_size": 4, "relation_size": 5,
  ]

  @Test func treesAreReadFromTheLogits() throws {
    let relations = ["nsubj", "obj", "root"]
    // One sequence of two words, one without any, one of one: word 2 is the root's, word 1 its subject.
    let scores: [[Float]] = [
      [0, 1, 0, 0], [0, 1, 0, 0], [3, 5, 0, 4], [3, 0, 0, 1], [2, 1, 0, 0], [9, 1, 0, 0], [1, 0, 7, 2], [4, 0, 0, 0],
    ]
    let trees = [(0..<6, 2), (6..<6, 0), (6..<8, 1)].map { rows, words in
      Dependency.tree(Array(scores[rows]), words: words, relations: relations)
    }
    #expect(
      trees == [
        [Dependency(head: 2, relation: "nsubj"), Dependency(head: 0, relation: "root")], [],
        [Dependency(head: 0, relation: "obj")],
      ])
  }

  @Test(arguments: [["head_type": "dependency_parsing"], generated])
  func theLossIsThatOfHeadsAndOfRelationsAtTheRightHeads(options: JSON.Members) throws {
    let model = try TinyModel(), head = try head(model, options), plain = Context(model.engine)
    let words = [[1..<2, 2..<4], [1..<2]],
      trees = [[(head: 2, relation: 0), (head: 0, relation: 2)], [(head: 0, relation: 1)]]
    func loss(_ context: Context) throws -> Tensor {
      try head.loss(
        head.logits(
          HeadInput(model.hidden(nil, in: context), model.tokens.sequences, base: model.base, words: words), in: context
        ),
        .trees(trees), in: context)
    }
    let logits = try head.logits(
      HeadInput(model.hidden(nil), model.tokens.sequences, base: model.base, words: words), in: plain)
    func surprise(_ scores: [Float], _ right: Int) -> Double {
      let powers = scores.map { Foundation.exp(Double($0)) }
      return -Foundation.log(powers[right] / powers.reduce(0, +))
    }
    let arcs =
      surprise((0..<3).map { logits.row($0)[0] }, 2) + surprise((3..<6).map { logits.row($0)[0] }, 0)
      + surprise((6..<8).map { logits.row($0)[0] }, 0)
    let relations = [(2, 0), (3, 2), (6, 1)].reduce(0) { $0 + surprise(Array(logits.row($1.0).dropFirst()), $1.1) }
    #expect(abs(Double(try loss(plain).values[0]) - (arcs + relations) / 3) < 1e-5)

    let context = Context(model.engine, training: head.parameters), gradients = context.gradients(of: try loss(context))
    for parameter in head.parameters {
      let got = gradients[parameter]?.values ?? Array(repeating: 0, count: parameter.count)
      for index in stride(from: 0, to: parameter.count, by: max(1, parameter.count / 5)) {
        func moved(_ distance: Float) throws -> Double {
          parameter.update(in: plain) { $0[index] += distance }
          defer { parameter.update(in: plain) { $0[index] -= distance } }
          return Double(try loss(plain).values[0])
        }
        let slope = (try moved(1e-2) - moved(-1e-2)) / 2e-2
        #expect(abs(Double(got[index]) - slope) <= 1e-3, "\(parameter.name)[\(index)]")
      }
    }
    for wrong in [
      [[(head: 3, relation: 0), (head: 0, relation: 0)], [(head: 0, relation: 0)]],
      [[(head: 2, relation: 3), (head: 0, relation: 0)], [(head: 0, relation: 0)]], [[]],
    ] {
      #expect { try head.loss(logits, .trees(wrong), in: plain) } throws: { ($0 as? Failure)?.code == .wrongLabels }
    }
  }

  @Test(
    arguments: [("arc_size", 0), ("relation_size", 65_537), ("language", "xx"), ("languages", []), ("num_labels", 0)]
      as [(String, JSON)])
  func refusesWhatMakesNoSense(key: String, value: JSON) throws {
    let model = try TinyModel(), configuration = JSONObject(Self.generated.with(["num_labels": 3]).with([key: value]))
    let failure = try #require(throws: Failure.self) {
      try DependencyHead(
        configuration: configuration, shape: model.base.shape,
        weights: ParameterSource(Spread(seed: 4, engine: model.engine)))
    }
    #expect(failure.subject == key)
  }

  @Test func wordsAreNeededAndMustFit() throws {
    let model = try TinyModel(), head = try head(model), hidden = try model.hidden(nil), context = Context(model.engine)
    for words in [nil, [[1..<2]], [[1..<5], []], [[-1..<2], []]] as [[[Range<Int>]]?] {
      #expect {
        try head.logits(HeadInput(hidden, model.tokens.sequences, base: model.base, words: words), in: context)
      } throws: {
        ($0 as? Failure)?.code == .unsupportedHead
      }
    }
    #expect(
      try head.logits(HeadInput(hidden, model.tokens.sequences, base: model.base, words: [[], []]), in: context).rows
        == 0)
  }
}
