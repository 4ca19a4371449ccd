public import HubWords
public import HubWeights

extension Failure.Code {
  /// Adapters or heads that cannot be averaged: their configurations, their tensors or their weights do not allow it.
  public static let unequalAdapters = Self("arithmetic/unequal", .refused)
}

/// One adapter, or head, of some that differ in nothing but their weights, made from their weighted sum.
///
/// As in the Python library the factors of a LoRA are averaged one by one, which is not the average of what they do;
/// ``Strategy/product(rank:)`` is. Invertible adapters are averaged like the rest, which the library forgets in a model
/// with heads. A LoReFT loses its orthogonality, and is refused.
public struct Averaging: Sendable {
  /// How tensors become one.
  public enum Strategy: Hashable, Sendable {
    /// `Σ wᵢ tᵢ` of each tensor
    case linear
    /// LoRA: `Σ |wᵢ| Aᵢ` and `Σ wᵢ Bᵢ`, so that a negative weight takes away
    case negatingB
    /// LoRA: the best approximation of `Σ wᵢ Bᵢ Aᵢ` that has this rank. `alpha` stays, so that the scaling changes with
    /// the rank.
    case product(rank: Int)
  }

  private let members: [StoredModule]
  private let shares: [Double]

  /// - Parameters:
  ///   - weights: one for each member; equal ones if there are none
  ///   - normalizes: whether they are divided by their sum
  /// - Throws: ``Failure`` with code ``Failure/Code/unequalAdapters``.
  public init(_ members: [StoredModule], weights: [Double]? = nil, normalizes: Bool = true) throws {
    let weights = weights ?? members.map { _ in 1 / Double(members.count) }, sum = normalizes ? weights.reduce(0, +) : 1
    guard let first = members.first, weights.count == members.count, weights.allSatisfy(\.isFinite), sum != 0 else {
      throw Failure(.unequalAdapters, "\(members.count) adapters need \(members.count) weights, whose sum is not zero")
    }
    for member in members {
      let own = Self.significant(member.configuration), others = Self.significant(first.configuration)
      if let key = Set(own.keys).union(others.keys).sorted().first(where: { own[$0] != others[$0] }) {
        let (value, other) = (own[key] ?? .null, others[key] ?? .null)
        throw Failure(
          .unequalAdapters,
          "the adapters to average differ in their configurations: \(other.text()) and \(value.text())", at: key)
      }
      guard Set(member.weights.map(\.name)) == Set(first.weights.map(\.name)) else {
        throw Failure(.unequalAdapters, "the adapters to average do not have the same tensors")
      }
    }
    self.members = members
    shares = weights.map { $0 / sum }
  }

  /// What decides about a result: not how training began, nor what is off.
  private static func significant(_ configuration: JSON.Members) -> [String: JSON] {
    let entries = configuration.entries.filter { entry in
      !["dropout", "dropout_prob", "init_weights", "init_weights_seed"].contains(entry.key) && !entry.value.isNull
        && entry.value != false
    }
    return Dictionary(entries.map { ($0.key, $0.value.number.map(JSON.number) ?? $0.value) }, uniquingKeysWith: { $1 })
  }

  /// - Throws: ``Failure``: a strategy that the method does not allow; tensors of different shapes.
  public func result(_ strategy: Strategy = .linear) throws -> StoredModule {
    let configuration = members[0].configuration
    if strategy != .linear { try checkIsLoRA() }
    guard configuration["architecture"] != "reft" || configuration["orthogonality"] != true else {
      throw Failure(.unequalAdapters, "the average of orthogonal projections is not orthogonal", at: "orthogonality")
    }
    switch strategy {
    case .linear: return StoredModule(configuration: configuration, weights: try sums { _ in shares })
    case .negatingB:
      return StoredModule(
        configuration: configuration, weights: try sums { $0.hasSuffix(".lora_b") ? shares : shares.map(abs) })
    case .product(let rank):
      guard rank >= 1 else { throw Failure(.unequalAdapters, "the rank must be at least 1, not \(rank)") }
      return StoredModule(configuration: configuration.with(["r": .integer(rank)]), weights: try products(rank))
    }
  }

  private func checkIsLoRA() throws {
    guard members[0].weights.allSatisfy({ $0.name.hasSuffix(".lora_a") || $0.name.hasSuffix(".lora_b") }),
      members[0].configuration["composition_mode"]?.string ?? "add" == "add"
    else {
      throw Failure(
        .unequalAdapters, "the strategy works only for adapters that are the two factors of a LoRA and nothing else")
    }
  }

  private func sums(_ shares: (String) -> [Double]) throws -> [StoredTensor] {
    try members[0].weights.map { first in
      let tensors = try tensors(first.name)
      guard tensors.allSatisfy({ $0.shape == first.shape }) else {
        throw Failure(.unequalAdapters, "the tensors have different shapes", at: first.name)
      }
      var sum = [Float](repeating: 0, count: first.count)
      for (tensor, share) in zip(tensors, shares(first.name)) {
        for (index, value) in try tensor.floats().enumerated() { sum[index] += Float(share) * value }
      }
      return try StoredTensor(name: first.name, shape: first.shape, floats: sum)
    }
  }

  private func tensors(_ name: String) throws -> [StoredTensor] {
    let tensors = members.compactMap { $0.weights.first { $0.name == name } }
    guard tensors.count == members.count else {
      throw Failure(.unequalAdapters, "an adapter lacks the tensor", at: name)
    }
    return tensors
  }

  private func products(_ rank: Int) throws -> [StoredTensor] {
    try members[0].weights.filter { $0.name.hasSuffix(".lora_a") }.flatMap { first in
      let bName = first.name.dropLast(1) + "b"
      let (left, right) = (try matrices(String(bName)), try matrices(first.name))
      // ΔW = [w₁ B₁, w₂ B₂, …] · [A₁; A₂; …]
      let scaled = zip(left, shares).map { matrix, share in matrix.map { row in row.map { $0 * share } } }
      let b = (0..<(scaled.first?.count ?? 0)).map { row in scaled.flatMap { $0[row] } }, a = right.flatMap { $0 }
      let (u, v) = LowRankProduct.factors(b, a, rank: rank)
      return [
        try StoredTensor(name: first.name, shape: [rank, first.shape[1]], floats: v.flatMap { $0.map(Float.init) }),
        try StoredTensor(name: String(bName), shape: [u.count, rank], floats: u.flatMap { $0.map(Float.init) }),
      ]
    }
  }

  private func matrices(_ name: String) throws -> [[[Double]]] {
    try tensors(name).map { tensor in
      guard tensor.shape.count == 2, tensor.shape == (try tensors(name))[0].shape else {
        throw Failure(.unequalAdapters, "the tensors have different shapes", at: name)
      }
      let values = try tensor.floats().map(Double.init), columns = tensor.shape[1]
      return (0..<tensor.shape[0]).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
    }
  }
}
