import Foundation
import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import Testing

@Suite struct HeadLossTests {
  private static let sequences = Sequences(lengths: [4, 3])

  /// A head, the rows and columns of its logits, labels for them, and the loss in Double.
  private static let cases:
    [(
      configuration: JSON.Members, rows: Int, columns: Int, labels: HeadTargets,
      expected: @Sendable ([[Double]]) -> Double
    )] = [
      (
        ["head_type": "classification", "num_labels": 3], 3, 3, .classes([2, nil, 0]),
        { (surprise($0[0], 2) + surprise($0[2], 0)) / 2 }
      ),
      (
        ["head_type": "classification", "num_labels": 1], 3, 1, .values([0.5, -1, 2.25]),
        { (pow($0[0][0] - 0.5, 2) + pow($0[1][0] + 1, 2) + pow($0[2][0] - 2.25, 2)) / 3 }
      ),
      (
        ["head_type": "multilabel_classification", "num_labels": 3], 2, 3, .sets([[0, 2], []]),
        { x in
          let signs: [[Double]] = [[-1, 1, -1], [1, 1, 1]]
          return zip(x, signs).reduce(0) { $0 + zip($1.0, $1.1).reduce(0) { $0 + log(1 + exp($1.1 * $1.0)) } } / 6
        }
      ),
      (
        ["head_type": "multiple_choice", "num_choices": 2], 2, 2, .classes([1, 0]),
        { (surprise($0[0], 1) + surprise($0[1], 0)) / 2 }
      ),
      (
        ["head_type": "tagging", "num_labels": 2], 3, 2, .classes([1, nil, 1]),
        { (surprise($0[0], 1) + surprise($0[2], 1)) / 2 }
      ),
      (
        ["head_type": "masked_lm", "vocab_size": 4, "embedding_size": 8], 2, 4, .classes([nil, 3]),
        { surprise($0[1], 3) }
      ),
      (
        ["head_type": "question_answering", "num_labels": 2], 7, 2,
        .spans([(start: 1, end: 2), (start: nil, end: 0)], of: sequences),
        { x in
          let first = x[..<4], second = x[4...]
          let ends = surprise(first.map { $0[1] }, 2) + surprise(second.map { $0[1] }, 0)
          return (surprise(first.map { $0[0] }, 1) + ends / 2) / 2
        }
      ),
      (
        ["head_type": "dependency_parsing", "num_labels": 2], 2, 3, .trees([[(head: 0, relation: 1)], []]),
        { (surprise([$0[0][0], $0[1][0]], 0) + surprise([$0[0][1], $0[0][2]], 1)) }
      ),
    ]

  /// `−log softmax(scores)[right]`
  private static func surprise(_ scores: [Double], _ right: Int) -> Double {
    log(scores.reduce(0) { $0 + exp($1) }) - scores[right]
  }

  private static func head(_ configuration: JSON.Members, _ model: TinyModel) throws -> any Head {
    let c = JSONObject(configuration), name = try c.string("head_type")
    let type = try #require(Heads.all.first { $0.types.contains(name) })
    return try type.init(
      configuration: c, shape: model.base.shape, weights: ParameterSource(Spread(seed: 4, engine: model.engine)))
  }

  @Test(arguments: cases.indices)
  func lossAndSlopesAreThoseOfItsDefinition(index: Int) throws {
    let model = try TinyModel(), item = Self.cases[index], head = try Self.head(item.configuration, model)
    func start(_ row: Int, _ column: Int) -> Double { Double((row * 31 + column * 17) % 13) / 5 - 1 }
    var x: [[Double]] = (0..<item.rows).map { row in (0..<item.columns).map { start(row, $0) } }
    let logits = Parameter(
      "logits", Context(model.engine).tensor(rows: item.rows, columns: item.columns, x.joined().map { Float($0) }))
    let context = Context(model.engine, training: [logits]),
      loss = try head.loss(context.value(of: logits), item.labels, in: context)
    #expect(abs(Double(loss.values[0]) - item.expected(x)) < 1e-5)
    let slopes = try #require(context.gradients(of: loss)[logits])
    for row in 0..<item.rows {
      for column in 0..<item.columns {
        func moved(_ distance: Double) -> Double {
          x[row][column] += distance
          defer { x[row][column] -= distance }
          return item.expected(x)
        }
        #expect(
          abs(Double(slopes.row(row)[column]) - (moved(1e-4) - moved(-1e-4)) / 2e-4) < 1e-5, "[\(row), \(column)]")
      }
    }
  }

  /// Logits and losses of the Python library.
  @Test func agreesWithThePythonLibrary() throws {
    let model = try TinyModel(), context = Context(model.engine),
      six: [Float] = [-0.672060, -0.856628, -0.657927, -0.863973, -0.767832, -0.328280]
    for (configuration, columns, values, labels, loss) in [
      (["head_type": "classification", "num_labels": 3], 3, six, .classes([2, 0]), 1.184592),
      (["head_type": "classification", "num_labels": 1], 1, [-0.672060, -0.863973], .values([0.5, -1]), 0.696114),
      (["head_type": "multilabel_classification", "num_labels": 3], 3, six, .sets([[0, 2], [2]]), 0.686224),
      (["head_type": "multiple_choice", "num_choices": 2], 2, [-0.672060, -0.863973], .classes([1]), 0.793700),
    ] as [(JSON.Members, Int, [Float], HeadTargets, Float)] {
      let logits = context.tensor(rows: values.count / columns, columns: columns, values)
      #expect(
        try abs(Self.head(configuration, model).loss(logits, labels, in: context).values[0] - loss) < 2e-6,
        "\(configuration)")
    }
  }

  @Test(arguments: cases.indices)
  func refusesLabelsThatDoNotFit(index: Int) throws {
    let model = try TinyModel(), item = Self.cases[index], head = try Self.head(item.configuration, model),
      context = Context(model.engine)
    let logits = context.tensor(
      rows: item.rows, columns: item.columns, repeatElement(0, count: item.rows * item.columns))
    let wrong: [HeadTargets] = [
      .classes([]), .classes(Array(repeating: item.columns, count: item.rows)),
      .classes(Array(repeating: -1, count: item.rows)), .values([1]),
      .values([Float](repeating: .nan, count: item.rows)), .sets([[0]]),
      .sets(Array(repeating: [item.columns], count: item.rows)),
      .spans([(start: 0, end: 0)], of: Self.sequences),
      .spans([(start: 4, end: 0), (start: 0, end: 0)], of: Self.sequences),
      .spans([(start: 0, end: 0)], of: Sequences(lengths: [6])), .trees([[(head: 2, relation: 0)]]),
      .trees([[(head: 0, relation: 2)]]), .trees([[]]),
    ]
    for labels in wrong {
      #expect { try head.loss(logits, labels, in: context) } throws: { ($0 as? Failure)?.code == .wrongLabels }
    }
  }
}
