import HubModels
import HubWords
import HubTensor
import HubTransformer
import Synchronization
import Testing

@testable import HubAdapters

/// Weights that are computed from others are computed once, and again when one of those changes.
@Suite struct DerivedWeightTests {
  @Test(arguments: methods.map(\.name))
  func aChangedParameterTakesEffect(name: String) throws {
    let model = try TinyModel(), configuration = try #require(methods.first { $0.name == name }).configuration
    let used = try model.adapter(configuration, seed: 3), fresh = try model.adapter(configuration, seed: 3),
      context = Context(model.engine)
    let before = try model.hidden(model.setup("a", ["a": used])).values
    for parameter in used.parameters + fresh.parameters {
      parameter.update(in: context) { values in
        for index in values.indices { values[index] -= 0.6 * Float(index % 5 + 1) }
      }
    }
    let after = try model.hidden(model.setup("a", ["a": used])).values
    #expect(after == (try model.hidden(model.setup("a", ["a": fresh])).values))
    #expect(after != before)
  }

  @Test func anotherBaseTakesEffect() throws {
    let model = try TinyModel(), dora = try #require(linears.first { $0.name == "dora" }).configuration
    let other = try BERT(
      .bert, configuration: JSONObject(TinyModel.configuration),
      weights: ParameterSource(Spread(seed: 2, engine: model.engine)))
    func hidden(_ base: any BaseModel, _ setup: Setup) throws -> [Float] {
      try base(model.tokens, with: ComposedAdapters(setup, for: model.tokens.sequences), in: Context(model.engine))
        .values
    }
    let used = try model.setup("a", ["a": model.adapter(dora, seed: 3)]), first = try hidden(model.base, used)
    #expect(try hidden(other, used) == hidden(other, model.setup("a", ["a": model.adapter(dora, seed: 3)])))
    #expect(try hidden(model.base, used) == first)
  }

  @Test func hypercomplexWeightsAreKept() throws {
    let model = try TinyModel(), context = Context(model.engine)
    let c = try #require(try PHMConfiguration(JSONObject(["phm_layer": true, "phm_dim": 2] as JSON.Members)))
    let layer = try PHMLayer(c, 8, 4, shared: (nil, nil), from: ParameterSource(Spread(seed: 3, engine: model.engine)))
    let weight = try #require(layer.projection(in: context)).weight
    #expect(try #require(layer.projection(in: Context(model.engine))).weight === weight)
    layer.parameters[0].update(in: context) { $0[0] += 1 }
    #expect(try #require(layer.projection(in: context)).weight !== weight)
    #expect(layer.projection(in: Context(model.engine, training: [layer.parameters[1]])) == nil)
  }

  @Test func magnitudesAreKept() throws {
    let model = try TinyModel(), context = Context(model.engine), runs = Counter()
    let base = Parameter("w", context.tensor(rows: 1, columns: 2, [1, 2])),
      own = Parameter("m", context.tensor(rows: 1, columns: 2, [3, 4]))
    let sum = BaseDependentParameter(from: [own]) { weight, context in
      runs.count.withLock { $0 += 1 }
      return context.add(context.value(of: own), context.value(of: weight))
    }
    for _ in 0..<3 { #expect(sum.value(with: base, in: context).values == [4, 6]) }
    #expect(runs.count.withLock { $0 } == 1)
    base.update(in: context) { $0[0] = 5 }
    #expect(sum.value(with: base, in: context).values == [8, 6])
    let training = Context(model.engine, training: [own])
    let gradients = training.gradients(of: training.columns(sum.value(with: base, in: training), 1..<2))
    #expect(gradients[own]?.values == [0, 1])
  }
}

private final class Counter: Sendable {
  let count = Mutex(0)
}
