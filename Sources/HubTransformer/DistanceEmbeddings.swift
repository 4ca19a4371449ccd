import Foundation
import HubModels
import HubTensor
import HubWords

/// DeBERTa's embeddings of distances, and what they add to the scores of a layer (He et al. 2021).
struct DistanceEmbeddings: Sendable {
  /// What meets a projected distance: the query's content, or the key's.
  enum Kind: String, Sendable, CaseIterable {
    case contentToPosition = "c2p"
    case positionToContent = "p2c"
  }

  let kinds: [Kind]
  /// `[2 · span, hidden]`
  private let table: Parameter
  private let norm: LayerNorm?
  private let heads: Int
  /// Distances are told apart up to this one.
  private let span: Int
  /// From half of the span on distances share embeddings, by their logarithm, up to the longest; `nil` if all have
  /// their own.
  private let longest: Int?
  /// Projections of distances, where a layer has them for themselves; by kind and layer.
  private let projections: [Kind: [Linear]]

  init(
    _ c: JSONObject, hidden: Int, heads: Int, epsilon: Float, maximumLength: Int, layers: Int,
    from encoder: ParameterSource
  ) throws {
    func bounded(_ key: String) throws -> Int? {
      guard let value = try c.optionalInteger(key), value >= 1 else { return nil }
      guard value <= 1 << 20 else { throw Failure.outside(1...1 << 20, value, .invalidModelConfiguration, at: key) }
      return value
    }
    let names = try c.optionalStrings("pos_att_type") ?? []
    if let unknown = names.first(where: { Kind(rawValue: $0) == nil }) {
      throw Failure(
        .unsupportedModel, "attention scores of the kind \(unknown.debugDescription) are not supported",
        at: "pos_att_type")
    }
    kinds = Kind.allCases.filter { names.contains($0.rawValue) }
    self.heads = heads
    let farthest = try bounded("max_relative_positions") ?? maximumLength, buckets = try bounded("position_buckets")
    span = buckets ?? farthest
    longest = buckets.map { _ in farthest }
    guard buckets.map({ $0 >= 4 && farthest > $0 / 2 + 1 }) ?? true else {
      throw Failure(
        .invalidModelConfiguration, "\(buckets ?? farthest) buckets cannot hold \(farthest) distances",
        at: "position_buckets")
    }
    table = try encoder["rel_embeddings"].parameter(
      "weight", [2 * (buckets ?? farthest), hidden], initially: .normal(deviation: 0.02))
    norm =
      try c.optionalString("norm_rel_ebd")?.contains("layer_norm") ?? false
      ? try LayerNorm(from: encoder["LayerNorm"], hidden, epsilon: epsilon) : nil
    guard try c.optionalBool("share_att_key") != true else {
      projections = [:]
      return
    }
    projections = try Dictionary(
      uniqueKeysWithValues: kinds.map { kind in
        let name = kind == .contentToPosition ? "pos_key_proj" : "pos_query_proj"
        return (
          kind,
          try (0..<layers).map {
            try Linear(from: encoder["layer"][$0]["attention"]["self"][name], hidden, hidden)
          }
        )
      })
  }

  /// Distances go through the layer's own projections, and so through their adapters, which must be one for all.
  func refuseRouting(_ adapters: some Interventions, _ layers: Int) throws {
    guard projections.isEmpty else { return }
    for layer in 0..<layers {
      for place in [Site.Place.query, .key] where !adapters.isUniform(at: Site(layer, place)) {
        throw Failure(
          .unsupportedModel,
          "this model shares its queries and keys with its distances: requests in one pass cannot adapt them differently",
          hint: "run the adapters one after another")
      }
    }
  }

  /// What is added to the scores of a layer.
  func bias(
    of layer: TransformerLayer, _ index: Int, with adapters: some Interventions, in context: Context
  ) -> ((AttentionExtent) -> AttentionBias)? {
    guard !kinds.isEmpty else { return nil }
    let embeddings = norm.map { $0(context.value(of: table), in: context) } ?? context.value(of: table)
    let rows = Rows(embeddings, of: Sequences(lengths: [embeddings.rows]))
    func projected(_ kind: Kind) -> Tensor {
      if let own = projections[kind] { return own[index](embeddings, in: context) }
      let (linear, place): (Linear, Site.Place) =
        kind == .contentToPosition ? (layer.attention.key, .key) : (layer.attention.query, .query)
      return adapters.projected(Projection(linear, of: rows), at: Site(index, place), in: context).tensor
    }
    let all = kinds.map { (kind: $0, distances: projected($0)) }
    let scale = layer.attention.form.scale ?? 1
    return { extent in
      let sequences = extent.queries.sequences
      let length = max(1, (0..<sequences.count).map { sequences[$0].count }.max() ?? 1)
      let columns = (1 - length..<length).map { min(max(bucket($0) + span, 0), 2 * span - 1) }
      let offsets = (0..<sequences.count).map { extent.prefixes?.rows[$0].count ?? 0 }
      let parts = all.map { kind, distances in
        let byKey = kind == .positionToContent, x = byKey ? extent.keys.tensor : extent.queries.tensor
        return context.distanceScores(
          scores(x, distances, scale, in: context), in: sequences, heads: heads, columns: columns, byKey: byKey,
          offsets: offsets)
      }
      return AttentionBias(perSequence: parts.dropFirst().reduce(parts[0]) { context.add($0, $1) })
    }
  }

  /// `scale · x · distancesᵀ` for each head: `[rows, heads * 2 · span]`.
  private func scores(_ x: Tensor, _ distances: Tensor, _ scale: Float, in context: Context) -> Tensor {
    let width = x.columns / heads
    let parts = (0..<heads).map { head in
      let slice = head * width..<(head + 1) * width
      return context.product(context.columns(x, slice), context.columns(distances, slice), transposing: true)
    }
    return context.scaled(parts.dropFirst().reduce(parts[0]) { context.joined($0, $1) }, by: scale)
  }

  /// The number of a distance: itself, or that of the range that it falls into.
  private func bucket(_ distance: Int) -> Int {
    guard let longest else { return distance }
    let middle = span / 2, size = abs(distance)
    guard size > middle else { return distance }
    let share = log(Float(size) / Float(middle)) / log(Float(longest - 1) / Float(middle))
    return (Int((share * Float(middle - 1)).rounded(.up)) + middle) * distance.signum()
  }
}
