import HubAdapters
import HubWords
import HubWeights
import Testing

@Suite struct AveragingTests {
  private func member(
    _ seed: Int, configuration: JSON.Members = ["architecture": "lora", "r": 2]
  ) throws -> StoredModule {
    func tensor(_ name: String, _ rows: Int, _ columns: Int) throws -> StoredTensor {
      try StoredTensor(
        name: "layers.0.query.\(name)", shape: [rows, columns],
        floats: (0..<rows * columns).map { Float(($0 * 37 + seed * 101) % 17) / 9 - 1 })
    }
    return StoredModule(
      configuration: configuration, weights: [try tensor("lora_a", 2, 5), try tensor("lora_b", 4, 2)])
  }

  /// `B · A`
  private func product(_ member: StoredModule) throws -> [Float] {
    let a = member.weights.first { $0.name.hasSuffix("a") }, b = member.weights.first { $0.name.hasSuffix("b") }
    let (x, y) = (try #require(b), try #require(a)), rank = y.shape[0], left = try x.floats(), right = try y.floats()
    return (0..<4).flatMap { row in
      (0..<5).map { column in (0..<rank).reduce(Float(0)) { $0 + left[row * rank + $1] * right[$1 * 5 + column] } }
    }
  }

  @Test func theProductOfFullRankIsExact() throws {
    let members = [try member(1), try member(2)]
    let result = try Averaging(members, weights: [0.7, -0.4], normalizes: false).result(.product(rank: 4))
    let wanted = try zip(product(members[0]), product(members[1])).map { 0.7 * $0 - 0.4 * $1 }
    #expect(try zip(product(result), wanted).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(result.configuration["r"] == 4)
  }

  @Test func anAverageWithItselfIsItself() throws {
    let one = try member(3)
    for strategy in [Averaging.Strategy.linear, .negatingB] {
      let result = try Averaging([one, one]).result(strategy)
      #expect(try zip(result.weights, one.weights).allSatisfy { try $0.floats() == $1.floats() })
    }
  }

  @Test func refusesWhatDiffers() throws {
    let one = try member(1), other = try member(1, configuration: ["architecture": "lora", "r": 4])
    func expectRefusal(_ body: () throws -> Void) {
      #expect { try body() } throws: { ($0 as? Failure)?.code == .unequalAdapters }
    }
    expectRefusal { _ = try Averaging([one, other]) }
    expectRefusal { _ = try Averaging([]) }
    expectRefusal { _ = try Averaging([one, one], weights: [1, -1]) }
    expectRefusal { _ = try Averaging([one, one], weights: [1]) }
    expectRefusal { _ = try Averaging([one, one]).result(.product(rank: 0)) }
    let gated = StoredModule(
      configuration: one.configuration, weights: one.weights + [one.weights[0].renamed("layers.0.query.gate.weight")])
    expectRefusal { _ = try Averaging([gated, gated]).result(.negatingB) }
  }
}
