import Foundation
public import HubAdapters
public import HubTensor

/// What a head's answers are measured by: gold answers and given ones are put in, figures come out.
public struct Scores: Sendable {
  /// The figures that each kind of answer has, the one that trainers look at first.
  public static func metrics(of answer: HeadAnswer) -> [String] {
    switch answer {
    case .label: ["accuracy", "f1", "matthews", "loss"]
    case .choice: ["accuracy", "loss"]
    case .number: ["spearman", "pearson", "mse", "loss"]
    case .labels: ["f1", "exact", "loss"]
    case .tokenLabel: ["accuracy", "f1", "loss"]
    case .span: ["f1", "exact", "loss"]
    case .tree: ["las", "uas", "loss"]
    case .word: ["perplexity", "accuracy", "loss"]
    default: ["loss"]
    }
  }

  /// Whether a smaller figure is a better one.
  public static func isLowerBetter(_ metric: String) -> Bool { ["loss", "perplexity", "mse"].contains(metric) }

  private let answer: HeadAnswer
  private let labels: [String]
  private var gold: [Int] = [], given: [Int] = []
  private var values: [(gold: Double, given: Double)] = []
  private var sets: [(gold: Set<Int>, given: Set<Int>)] = []
  private var spans: [(gold: Range<Int>, given: Range<Int>)] = []
  private var sentences: [(gold: [Int], given: [Int])] = []
  private var arcs: [(isRightHead: Bool, isRightRelation: Bool)] = []
  private var losses: [(loss: Double, items: Int)] = []
  /// Where each row's answers end, or of a language model each word's: what is resampled.
  private var ends: [Ends] = []

  private struct Ends {
    var gold = 0, values = 0, sets = 0, spans = 0, sentences = 0, arcs = 0
  }

  private mutating func endUnit() {
    ends.append(
      Ends(
        gold: gold.count, values: values.count, sets: sets.count, spans: spans.count, sentences: sentences.count,
        arcs: arcs.count))
  }

  /// What can be resampled: rows, or of a language model words.
  var unitCount: Int { ends.count }

  /// The same of some of the rows, each as often as it is named; without losses.
  func resampled(_ units: [Int]) -> Scores {
    var result = Scores(answer, labels: labels)
    for unit in units {
      let first = unit == 0 ? Ends() : ends[unit - 1], end = ends[unit]
      result.gold += gold[first.gold..<end.gold]
      result.given += given[first.gold..<end.gold]
      result.values += values[first.values..<end.values]
      result.sets += sets[first.sets..<end.sets]
      result.spans += spans[first.spans..<end.spans]
      result.sentences += sentences[first.sentences..<end.sentences]
      result.arcs += arcs[first.arcs..<end.arcs]
    }
    return result
  }

  /// - Parameter labels: those of the head
  public init(_ answer: HeadAnswer, labels: [String]) { (self.answer, self.labels) = (answer, labels) }

  /// How many answers were measured.
  public var count: Int {
    switch answer {
    case .number: values.count
    case .labels: sets.count
    case .span: spans.count
    case .tree: arcs.count
    default: gold.count
    }
  }

  mutating func add(loss: Double, items: Int) { losses.append((loss, items)) }

  /// Takes in what a head said of a batch.
  ///
  /// - Parameters:
  ///   - logits: as the head gives them; of a language model only the rows that have a label
  ///   - added: rows of a prompt that stand before each sequence
  mutating func add(_ logits: Tensor, _ examples: ArraySlice<TrainingExample>, _ sequences: Sequences, hidden: [Int]) {
    if answer == .word {
      for (row, word) in hidden.enumerated() {
        gold.append(word)
        given.append(logits.row(row).largestIndex)
        endUnit()
      }
      return
    }
    var row = 0
    for (index, example) in examples.enumerated() {
      switch example.target {
      case .label(let label):
        gold.append(label)
        given.append(logits.row(index).largestIndex)
      case .value(let value): values.append((Double(value), Double(logits.row(index)[0])))
      case .labels(let set):
        let scores = logits.row(index)
        sets.append((set, Set(scores.indices.filter { scores[$0] > 0 })))
      case .tags(let tags):
        let first = sequences[index].upperBound - tags.count
        let labelled = tags.indices.filter { tags[$0] != nil }
        let right = labelled.map { tags[$0] ?? 0 }, said = labelled.map { logits.row(first + $0).largestIndex }
        gold += right
        given += said
        sentences.append((right, said))
      case .span(let start, let end):
        let rows = sequences[index], length = example.sequences[0].ids.count, first = rows.upperBound - length
        spans.append((start..<end + 1, Self.bestSpan((0..<length).map { logits.row(first + $0) })))
      case .tree(let tree):
        let count = tree.count * (tree.count + 1)
        let parsed = Dependency.tree(
          (row..<row + count).map { logits.row($0) }, words: tree.count, relations: labels)
        row += count
        for (word, found) in zip(tree, parsed) {
          let isRightHead = word.head == found.head
          arcs.append((isRightHead, isRightHead && labels[word.relation] == found.relation))
        }
      case .words, .written: break
      }
      endUnit()
    }
  }

  /// The best span of at most thirty tokens; the first token alone for there being no answer.
  private static func bestSpan(_ rows: [[Float]]) -> Range<Int> {
    var best = 0..<1, most = rows.first.map { $0[0] + $0[1] } ?? 0
    for start in rows.indices.dropFirst() {
      for end in start..<min(rows.count, start + 30) where rows[start][0] + rows[end][1] > most {
        (best, most) = (start..<end + 1, rows[start][0] + rows[end][1])
      }
    }
    return best
  }

  /// All figures, by name, between 0 and 1 where they are shares.
  public var figures: [(name: String, value: Double)] {
    Self.metrics(of: answer).map { ($0, figure($0)) }
  }

  /// One figure.
  public func figure(_ name: String) -> Double {
    switch (name, answer) {
    case ("loss", _): meanLoss
    case ("perplexity", _): exp(min(meanLoss, 700))
    case ("accuracy", _): share(zip(gold, given).count { $0 == $1 }, gold.count)
    case ("f1", .labels):
      f1(
        sets.reduce(0) { $0 + $1.gold.intersection($1.given).count }, sets.reduce(0) { $0 + $1.gold.count },
        sets.reduce(0) { $0 + $1.given.count })
    case ("exact", .labels): share(sets.count { $0.gold == $0.given }, sets.count)
    case ("f1", .tokenLabel): entityF1
    case ("f1", .span):
      spans.reduce(0) { $0 + f1($1.gold.clamped(to: $1.given).count, $1.gold.count, $1.given.count) }
        / Double(max(1, spans.count))
    case ("exact", .span): share(spans.count { $0.gold == $0.given }, spans.count)
    case ("f1", _): macroF1
    case ("matthews", _): matthews
    case ("pearson", _): Self.correlation(values.map(\.gold), values.map(\.given))
    case ("spearman", _): Self.correlation(Self.ranks(values.map(\.gold)), Self.ranks(values.map(\.given)))
    case ("mse", _): values.reduce(0) { $0 + pow($1.gold - $1.given, 2) } / Double(max(1, values.count))
    case ("uas", _): share(arcs.count(where: \.isRightHead), arcs.count)
    case ("las", _): share(arcs.count(where: \.isRightRelation), arcs.count)
    default: .nan
    }
  }

  /// The mean over all labels.
  private var meanLoss: Double {
    losses.reduce(0) { $0 + $1.loss * Double($1.items) } / Double(max(1, losses.reduce(0) { $0 + $1.items }))
  }

  private func share(_ part: Int, _ whole: Int) -> Double { Double(part) / Double(max(1, whole)) }

  /// `2 p r / (p + r)`; 1 where there is nothing to find and nothing was found.
  private func f1(_ right: Int, _ gold: Int, _ given: Int) -> Double {
    gold + given == 0 ? 1 : 2 * Double(right) / Double(gold + given)
  }

  /// The mean over the labels.
  private var macroF1: Double {
    let used = Set(gold).union(given)
    let sum = used.reduce(0.0) { sum, label in
      sum
        + f1(
          zip(gold, given).count { $0 == label && $1 == label }, gold.count { $0 == label }, given.count { $0 == label }
        )
    }
    return sum / Double(max(1, used.count))
  }

  /// The correlation of two classifications (Matthews 1975; for several classes Gorodkin 2004).
  private var matthews: Double {
    let n = Double(gold.count), right = Double(zip(gold, given).count { $0 == $1 })
    var products = 0.0, goldSquares = 0.0, givenSquares = 0.0
    for label in Set(gold).union(given) {
      let g = Double(gold.count { $0 == label }), p = Double(given.count { $0 == label })
      products += g * p
      goldSquares += g * g
      givenSquares += p * p
    }
    let scale = ((n * n - goldSquares) * (n * n - givenSquares)).squareRoot()
    return scale == 0 ? 0 : (n * right - products) / scale
  }

  /// Over the entities of tags such as `B-PER` and `I-PER`, which count only as a whole (Tjong Kim Sang and De Meulder
  /// 2003); over the tags themselves where none is of that form.
  private var entityF1: Double {
    guard labels.contains(where: { $0.hasPrefix("B-") || $0.hasPrefix("I-") }) else { return macroF1 }
    var right = 0, all = 0, found = 0
    for sentence in sentences {
      let (gold, given) = (Set(entities(sentence.gold)), Set(entities(sentence.given)))
      right += gold.intersection(given).count
      all += gold.count
      found += given.count
    }
    return f1(right, all, found)
  }

  private struct Entity: Hashable {
    let words: Range<Int>
    let type: Substring
  }

  private func entities(_ tags: [Int]) -> [Entity] {
    var result: [Entity] = [], begun: (first: Int, type: Substring)?
    for index in 0...tags.count {
      let tag = index < tags.count ? labels[tags[index]] : "O", type = tag.dropFirst(2)
      let continues = tag.hasPrefix("I-") && begun?.type == type
      if let open = begun, !continues {
        result.append(Entity(words: open.first..<index, type: open.type))
        begun = nil
      }
      if begun == nil, tag.hasPrefix("B-") || tag.hasPrefix("I-") { begun = (index, type) }
    }
    return result
  }

  private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let n = Double(max(1, x.count)), mx = x.reduce(0, +) / n, my = y.reduce(0, +) / n
    let xy = zip(x, y).reduce(0) { $0 + ($1.0 - mx) * ($1.1 - my) }
    let scale = (x.reduce(0) { $0 + pow($1 - mx, 2) } * y.reduce(0) { $0 + pow($1 - my, 2) }).squareRoot()
    return scale == 0 ? 0 : xy / scale
  }

  /// The place of each value in their order; equal values share the mean of their places.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count), first = 0
    while first < order.count {
      var end = first + 1
      while end < order.count, values[order[end]] == values[order[first]] { end += 1 }
      for place in first..<end { ranks[order[place]] = Double(first + end - 1) / 2 }
      first = end
    }
    return ranks
  }
}

extension [Float] {
  var largestIndex: Int { indices.reduce(0) { self[$1] > self[$0] ? $1 : $0 } }
}

extension TrainingModel {
  /// What the first head says of examples that it was not taught.
  ///
  /// - Parameters:
  ///   - masking: for examples with words to guess; which words follows from `seed`
  public func scores(
    of examples: [TrainingExample], masking: Masking? = nil, seed: UInt64 = 0, on engine: Engine
  ) throws -> Scores {
    let head = heads[0]
    var scores = Scores(head.answer, labels: head.labels)
    var generator = Randomness(seed: seed).generator(for: 2)
    for range in Batches.inOrder(examples) {
      let batch = TrainingBatch(Array(examples[range]), masking: masking, &generator), context = Context(engine)
      let read = try answers(batch, in: context)
      scores.add(loss: Double(read.loss.value.values[0]), items: read.loss.items)
      scores.add(read.logits, examples[range], read.sequences, hidden: read.classes)
    }
    return scores
  }
}
