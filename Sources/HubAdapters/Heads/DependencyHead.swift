public import HubWords
public import HubTensor
public import HubModels
public import HubTransformer

/// Which word each word depends on, and how: biaffine attention over words (Dozat and Manning 2017, in the form of
/// Glavaš and Vulić 2021). A word is the mean of its pieces; the first token of a sequence is the root.
///
/// With `x` a dependent and `y` a head, `arc = [x; 1]ᵀ U y` and `relation_k = [x; 1]ᵀ U_k [y; 1]`. In UDapter's parser,
/// `udapter_parsing`, these are what layers that are generated for a language make of the words.
public struct DependencyHead: Head {
  public static let types = ["dependency_parsing", "udapter_parsing"]

  public let labels: [String]
  private let arcs, relations: Parameter
  private var projections: ParserProjections?
  private let dropout: Float

  public init(configuration c: JSONObject, shape: ModelShape, weights: ParameterSource) throws {
    let count = try c.integer("num_labels"), width = shape.hiddenSize
    // There is a score for each relation of each pair of words.
    guard (1...1000).contains(count) else {
      throw Failure.outside(1...1000, count, .invalidHead, at: c.path(to: "num_labels"))
    }
    labels = try HeadLayers.labels(c, count)
    dropout = try c.dropout("dropout_prob")
    let isGenerated = try c.string("head_type") == "udapter_parsing"
    let arcSize = isGenerated ? try c.optionalSize("arc_size") ?? 768 : width
    let relationSize = isGenerated ? try c.optionalSize("relation_size") ?? 256 : width
    projections =
      isGenerated
      ? try ParserProjections(c, hidden: width, arcSize: arcSize, relationSize: relationSize, from: weights) : nil
    arcs = try weights["arcs"].parameter("weight", [1, arcSize + 1, arcSize])
    relations = try weights["relations"].parameter("weight", [count, relationSize + 1, relationSize + 1])
  }

  /// The same head for another language of its table; itself if it is for all languages.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidConfiguration`` if it has no such language.
  public func speaking(_ language: String) throws -> DependencyHead {
    var copy = self
    copy.projections = try projections?.speaking(language)
    return copy
  }

  /// The same head for a language that it was not trained for; `values` is what its row of the table would hold.
  public func speaking(_ values: [Float]) throws -> DependencyHead {
    var copy = self
    copy.projections = try projections?.speaking(values)
    return copy
  }

  public var answer: HeadAnswer { .tree }
  public var parameters: [Parameter] { (projections?.parameters ?? []) + [arcs, relations] }
  public var frozenParameters: [Parameter] { projections?.frozenParameters ?? [] }

  /// A row for each pair of a word and a possible head, the root before the words: the words of a sequence one after
  /// another, each with all its heads. In the first column stands the arc's score, after it those of the relations.
  public func logits(_ input: HeadInput, in context: Context) throws -> Tensor {
    guard let words = input.words else {
      throw Failure(
        .unsupportedHead, "a parser needs to know which tokens make up each word", hint: "give the words of the text")
    }
    let hidden = context.dropout(input.hidden, rate: dropout)
    let vectors = try Self.vectors(of: words, hidden, input, in: context),
      roots = context.rows(hidden, input.sequences.firstRows)
    guard vectors.rows > 0 else { return context.tensor(rows: 0, columns: 1 + labels.count, []) }
    let forArcs = Sides(vectors, roots, projections?.arcs, in: context),
      forRelations = Sides(vectors, roots, projections?.relations, in: context)
    var parts: [Tensor] = [], first = 0
    for (index, words) in words.enumerated() where !words.isEmpty {
      let range = first..<first + words.count
      parts.append(
        scores(
          forArcs.part(range, ofSequence: index, in: context), forRelations.part(range, ofSequence: index, in: context),
          in: context))
      first += words.count
    }
    return context.stacked(parts)
  }

  /// Words as dependents, `[words, size + 1]`, and as heads, with the roots of the sequences, `[_, size]`.
  private struct Sides {
    let dependents, words, roots: Tensor

    init(_ vectors: Tensor, _ roots: Tensor, _ layers: ParserProjections.Pair?, in context: Context) {
      func applied(_ layer: DerivedLinear?, to x: Tensor) -> Tensor {
        layer?(x, then: .elu, scale: 1, plus: nil, in: context) ?? x
      }
      dependents = context.joined(applied(layers?.dependent, to: vectors), context.ones(vectors.rows))
      words = applied(layers?.head, to: vectors)
      self.roots = applied(layers?.head, to: roots)
    }

    func part(_ range: Range<Int>, ofSequence index: Int, in context: Context) -> (dependents: Tensor, heads: Tensor) {
      (
        context.rows(dependents, range),
        context.stacked([context.rows(roots, index..<index + 1), context.rows(words, range)])
      )
    }
  }

  /// `[words, hidden]`; a word without tokens is zero.
  private static func vectors(
    of words: [[Range<Int>]], _ hidden: Tensor, _ input: HeadInput, in context: Context
  ) throws -> Tensor {
    let tokens = (0..<input.sequences.count).map { input.sequences[$0] }
    let areThere = zip(words, tokens).allSatisfy { words, tokens in
      !tokens.isEmpty && words.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= tokens.count }
    }
    guard words.count == tokens.count, areThere else {
      throw Failure(.unsupportedHead, "the words do not match the sequences")
    }
    let spans = zip(words, tokens).flatMap { words, tokens in
      words.map { $0.lowerBound + tokens.lowerBound..<$0.upperBound + tokens.lowerBound }
    }
    return context.means(
      of: context.rows(hidden, spans.flatMap { Array($0) }), over: Sequences(lengths: spans.map(\.count)))
  }

  /// The matrices act on the heads, with which they are the weights of linear layers.
  private func scores(
    _ forArcs: (dependents: Tensor, heads: Tensor), _ forRelations: (dependents: Tensor, heads: Tensor),
    in context: Context
  ) -> Tensor {
    let pairs = forArcs.dependents.rows * forArcs.heads.rows, heads = forRelations.heads
    let arcScores = context.product(forArcs.dependents, context.linear(forArcs.heads, arcs), transposing: true)
    let transformed = context.linear(context.joined(heads, context.ones(heads.rows)), relations)
    let byHead = context.reshaped(
      transformed, rows: heads.rows * labels.count, columns: forRelations.dependents.columns)
    let relationScores = context.product(forRelations.dependents, byHead, transposing: true)
    return context.joined(
      context.reshaped(arcScores, rows: pairs, columns: 1),
      context.reshaped(relationScores, rows: pairs, columns: labels.count))
  }

  /// The cross entropy of the heads, and that of the relations at the right heads, each the mean over all words.
  public func loss(_ logits: Tensor, _ labels: HeadTargets, in context: Context) throws -> Tensor {
    guard case .trees(let trees, let padsWithZeros) = labels else { throw labels.failure(wanted: "trees") }
    try HeadTargets.check(trees.reduce(0) { $0 + $1.count * ($1.count + 1) }, logits.rows)
    for tree in trees {
      for word in tree {
        try HeadTargets.check(word.head, below: tree.count + 1)
        try HeadTargets.check(word.relation, below: self.labels.count)
      }
    }
    func arc(_ word: (head: Int, relation: Int)) -> Int? { padsWithZeros && word.head == 0 ? nil : word.head }
    func relation(_ word: (head: Int, relation: Int)) -> Int? {
      padsWithZeros && word.head == 0 ? nil : word.relation
    }
    let labelled = trees.joined().count { arc($0) != nil }
    var first = 0, total = context.tensor(rows: 1, columns: 1, [0])
    for tree in trees where !tree.isEmpty {
      let heads = tree.count + 1
      let arcs = context.reshaped(
        context.columns(context.rows(logits, first..<first + tree.count * heads), 0..<1), rows: tree.count,
        columns: heads)
      let right = tree.enumerated().map { first + $0.offset * heads + $0.element.head }
      let relations = context.columns(context.rows(logits, right), 1..<logits.columns)
      let sum = context.add(
        context.crossEntropy(arcs, labels: tree.map(arc)), context.crossEntropy(relations, labels: tree.map(relation)))
      total = context.add(
        total, context.scaled(sum, by: Float(tree.count { arc($0) != nil }) / Float(max(1, labelled))))
      first += tree.count * heads
    }
    return total
  }
}

/// What a word depends on.
public struct Dependency: Hashable, Sendable {
  /// The number of the word that it depends on, counted from 1; 0 is the root.
  public let head: Int
  /// The kind of the dependency, one of the head's labels.
  public let relation: String

  /// The best tree over the words of a sequence: the maximum spanning tree of the arcs, and in it the best relations.
  ///
  /// - Parameters:
  ///   - logits: as ``HeadAnswer/Unit/wordPair`` has them, the arc's score before those of the relations
  ///   - count: the number of words
  public static func tree(_ logits: [[Float]], words count: Int, relations: [String]) -> [Dependency] {
    let rows = (0..<count).map { word in (0...count).map { logits[word * (count + 1) + $0] } }
    return SpanningTree.heads(of: rows.map { $0.map { Double($0[0]) } }).enumerated().map { word, head in
      let scores = rows[word][head].dropFirst()
      let best = scores.indices.reduce(1) { scores[$1] > scores[$0] ? $1 : $0 }
      return Dependency(head: head, relation: relations[best - 1])
    }
  }
}

extension Context {
  fileprivate func ones(_ rows: Int) -> Tensor { tensor(rows: rows, columns: 1, repeatElement(1, count: rows)) }
}
