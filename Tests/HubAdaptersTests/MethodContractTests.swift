import HubAdapters
import HubWords
import HubTensor
import HubTransformer
import HubWeights
import Testing

/// What every method promises, whatever it computes.
@Suite struct MethodContractTests {
  /// A method that is in the library's list is tested here.
  @Test func everyMethodIsHeldToTheContract() {
    let tested = Set(methods.map { $0.configuration["architecture"]?.string ?? "" })
    let listed = Set(AdapterMethods.all.map { $0.architecture ?? "" })
    #expect(listed.subtracting(["test_offset"]).isSubset(of: tested), "\(listed.subtracting(tested))")
  }

  @Test(arguments: methods.map(\.name))
  func gradientsMatchFiniteDifferences(name: String) throws {
    let model = try TinyModel()
    let adapter = try model.adapter(#require(methods.first { $0.name == name }).configuration, seed: 3)
    let setup = try model.setup("a", ["a": adapter])
    try expectGradients(of: adapter.parameters, model, name) { context in try model.hidden(setup, in: context) }
  }

  @Test func gradientsFlowThroughFusionsAndStacks() throws {
    let model = try TinyModel()
    let adapters = [
      "de": try model.adapter(bottlenecks[4].configuration, seed: 2),
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[0].configuration, seed: 4),
    ]
    for options: JSON.Members in [
      [:], ["value": false], ["key": false, "value_before_softmax": false],
      ["residual_before": true, "query_before_ln": true],
    ] {
      let setup = try model.setup(.stack("de", .fuse("a", "b")), adapters, fusion: options)
      try expectGradients(of: setup.parameters, model, "fusion \(options)") { context in
        try model.hidden(setup, in: context)
      }
    }
  }

  @Test(arguments: [
    "split(a, b, tokens=[1, 3])", "batch_split(a, stack(b, c), sequences=[1, 1])", "parallel(a, stack(b, c))",
    "stack(c, parallel(a, b))",
    "average(a, b, weights=[3, 1])", "stack(c, average(a, stack(b, c), normalize=false))",
  ])
  func gradientsFlowThroughEveryBlock(composition: String) throws {
    let model = try TinyModel()
    let adapters = [
      "a": try model.adapter(bottlenecks[0].configuration, seed: 3),
      "b": try model.adapter(bottlenecks[0].configuration, seed: 4),
      "c": try model.adapter(bottlenecks[0].configuration, seed: 5),
    ]
    let setup = try model.setup(Composition(parsing: composition), adapters)
    try expectGradients(of: adapters.values.flatMap(\.parameters), model, composition) { context in
      try model.hidden(setup, in: context)
    }
  }

  @Test(arguments: [
    "stack(a, b)", "batch_split(a, stack(b, c), sequences=[1, 1])", "parallel(a, stack(b, c))",
    "stack(c, parallel(a, b))",
    "average(a, b, weights=[3, 1])",
  ])
  func gradientsFlowThroughEveryBlockOfLinearAdapters(composition: String) throws {
    let model = try TinyModel()
    for item in [linears[0], linears[2], linears[3], linears[7]] {
      let configuration = item.configuration.with(["intermediate_lora": false])
      let adapters = [
        "a": try model.adapter(configuration, seed: 3), "b": try model.adapter(configuration, seed: 4),
        "c": try model.adapter(configuration, seed: 5),
      ]
      let setup = try model.setup(Composition(parsing: composition), adapters)
      try expectGradients(of: adapters.values.flatMap(\.parameters), model, "\(composition) of \(item.name)") {
        context in
        try model.hidden(setup, in: context)
      }
    }
  }

  @Test(
    arguments: ["pal", "adamix", "adamix ensemble", "udapter"],
    [
      "stack(a, b)", "split(a, b, tokens=[1, 3])", "batch_split(a, stack(b, c), sequences=[1, 1])",
      "parallel(a, stack(b, c))", "fuse(a, stack(b, c))",
      "average(a, b, weights=[3, 1])",
    ])
  func gradientsFlowThroughEveryBlockOfSublayerAdapters(name: String, composition: String) throws {
    try expectGradients(ofThree: name, in: composition)
  }

  @Test(
    arguments: ["lhuc", "k_adapter"],
    [
      "stack(a, b)", "batch_split(a, stack(b, c), sequences=[1, 1])", "parallel(a, stack(b, c))",
      "stack(c, parallel(a, b))", "average(a, b, weights=[3, 1])",
    ])
  func gradientsFlowThroughEveryBlockOfLayerAdapters(name: String, composition: String) throws {
    try expectGradients(ofThree: name, in: composition)
  }

  private func expectGradients(ofThree name: String, in composition: String) throws {
    let model = try TinyModel(), configuration = try #require(methods.first { $0.name == name }).configuration
    let adapters = [
      "a": try model.adapter(configuration, seed: 3), "b": try model.adapter(configuration, seed: 4),
      "c": try model.adapter(configuration, seed: 5),
    ]
    let setup = try model.setup(Composition(parsing: composition), adapters)
    try expectGradients(of: setup.parameters, model, "\(composition) of \(name)") { context in
      try model.hidden(setup, in: context)
    }
  }

  /// Compares the gradient of a weighted sum of the hidden states with differences, for a few elements of each
  /// parameter.
  private func expectGradients(
    of parameters: [Parameter], _ model: TinyModel, _ what: String, _ forward: (Context) throws -> Tensor
  ) throws {
    let plain = Context(model.engine)
    let reference = try forward(plain)
    let weights = (0..<reference.count).map { Float(($0 * 7919) % 13 - 6) / 6 }
    let sum = Parameter("sum", plain.tensor(rows: 1, columns: reference.count, weights))
    func total() throws -> Double {
      zip(try forward(Context(model.engine)).values, weights).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let recording = Context(model.engine, training: parameters)
    let recorded = try forward(recording)
    #expect(recorded.values == reference.values, "\(what): the same forward pass, recorded and not")
    let gradients = recording.gradients(
      of: recording.linear(recording.reshaped(recorded, rows: 1, columns: recorded.count), sum))
    for parameter in parameters {
      let got = gradients[parameter]?.values ?? Array(repeating: 0, count: parameter.count)
      for index in stride(from: 0, to: parameter.count, by: max(1, parameter.count / 3)) {
        func moved(_ distance: Float) throws -> Double {
          parameter.update(in: plain) { $0[index] += distance }
          defer { parameter.update(in: plain) { $0[index] -= distance } }
          return try total()
        }
        let step: Float = 4e-3
        let slope =
          (8 * (try moved(step) - moved(-step)) - (try moved(2 * step) - moved(-2 * step))) / (12 * Double(step))
        #expect(
          abs(Double(got[index]) - slope) <= 1e-2 * max(1, abs(slope)),
          "\(what): \(parameter.name)[\(index)] is \(got[index]), not \(slope)")
      }
    }
  }

  @Test(arguments: methods.map(\.name))
  func everyDeclaredTensorIsConsumed(name: String) throws {
    let model = try TinyModel()
    let configuration = try #require(methods.first { $0.name == name }).configuration
    let adapter = try model.adapter(configuration, seed: 5)
    var tensors = try StoredWeights(of: adapter.parameters).tensors
    let loaded = try AdapterMethods.load(
      JSONObject(configuration), StoredWeights(tensors), shape: model.base.shape, engine: model.engine)
    let setups = try [adapter, loaded].map { try model.setup("a", ["a": $0]) }
    #expect(try model.hidden(setups[0]).values == model.hidden(setups[1]).values)

    let first = try #require(adapter.parameters.first).name
    for (change, expected) in [
      (nil, "missing"),
      (try StoredTensor(name: "x", shape: [3, 7], floats: Array(repeating: 1, count: 21)), "wrong shape"),
    ] {
      var changed = tensors
      changed[first] = change
      let failure = try #require(throws: Failure.self) {
        try AdapterMethods.load(
          JSONObject(configuration), StoredWeights(changed), shape: model.base.shape, engine: model.engine)
      }
      #expect(failure.code == .unfittingWeights && failure.message.contains(expected))
      #expect(failure.subject == first)
    }
    tensors["layers.7.feed_forward.down.weight"] = tensors[first]
    #expect {
      try AdapterMethods.load(
        JSONObject(configuration), StoredWeights(tensors), shape: model.base.shape, engine: model.engine)
    } throws: {
      ($0 as? Failure)?.message.contains("nothing consumes") ?? false
    }
  }

  @Test(arguments: methods.map(\.name))
  func aWarmPassTakesNothingFromTheSystem(name: String) throws {
    let model = try TinyModel()
    let setup = try model.setup(
      "a", ["a": model.adapter(#require(methods.first { $0.name == name }).configuration, seed: 2)])
    for _ in 0..<2 { _ = try model.hidden(setup) }
    let warm = model.engine.allocations
    for _ in 0..<3 { _ = try model.hidden(setup) }
    #expect(model.engine.allocations == warm)
  }

  @Test func everyAdapterChangesTheOutput() throws {
    let model = try TinyModel()
    let plain = try model.hidden(nil).values
    for (index, item) in methods.enumerated() {
      let setup = try model.setup("a", ["a": model.adapter(item.configuration, seed: UInt64(index))])
      #expect(try model.hidden(setup).values != plain, "\(item.name)")
    }
  }

  @Test(
    arguments: [
      ("reduction_factor", 0), ("reduction_factor", -1.5), ("reduction_factor", 1e-300), ("reduction_factor", ["0": 2]),
      ("reduction_factor", "many"),
      ("non_linearity", "square"), ("scaling", "loud"), ("residual_before_ln", "never"), ("init_weights", "magic"),
      ("inv_adapter", "glow"),
      ("leave_out", ["one"]), ("leave_out", [0, 1]), ("phm_layer", 1), ("use_gating", "often"), ("unheard_of", 3),
      ("architecture", "lora2"),
      ("mh_adapter", "yes"), ("inv_adapter", "nice"),
    ] as [(String, JSON)])
  func refusesWhatMakesNoSense(key: String, value: JSON) throws {
    try expectRefusal(of: bottlenecks[0].configuration.with([key: value]))
  }

  @Test(
    arguments: [("phm_dim", 3), ("phm_dim", 0), ("phm_rank", -1), ("phm_c_init", "magic"), ("init_weights", "houlsby")]
      as [(String, JSON)])
  func refusesWhatMakesNoSenseForCompacter(key: String, value: JSON) throws {
    try expectRefusal(of: bottlenecks[0].configuration.with(["phm_layer": true, "phm_dim": 2]).with([key: value]))
  }

  @Test(
    arguments: [
      ("r", 0), ("r", "many"), ("alpha", "large"), ("attn_matrices", ["q", "o"]), ("attn_matrices", []),
      ("composition_mode", "scale"),
      ("composition_mode", "multiply"), ("vera_d", 0.1), ("vera_b", 0.1), ("init_weights", "magic"),
      ("leave_out", [0, 1]), ("use_dora", 1), ("rank", 4),
    ] as [(String, JSON)])
  func refusesWhatMakesNoSenseForLoRA(key: String, value: JSON) throws {
    try expectRefusal(of: linears[0].configuration.with([key: value]))
  }

  @Test(
    arguments: [
      ("lhuc", "leave_out", ["one"], "leave_out"), ("lhuc", "leave_out", [0, 1], ""), ("lhuc", "rank", 3, "rank"),
      ("pal", "size", 0, "size"), ("pal", "heads", 0, "heads"), ("pal", "heads", 4, "heads"),
      ("pal", "size", 65_537, "size"),
      ("pal", "non_linearity", "square", "non_linearity"), ("pal", "attention", "much", "attention"),
      ("pal", "top", true, "top"),
      ("adamix", "num_experts", 0, "num_experts"), ("adamix", "num_experts", 65, "num_experts"),
      ("adamix", "inference", "random", "inference"),
      ("adamix", "reduction_factor", 0, "reduction_factor"), ("adamix", "scaling", 2, "scaling"),
      ("adamix", "sharing_up", 1, "sharing_up"),
      ("k_adapter", "adapter_list", [], "adapter_list"), ("k_adapter", "adapter_list", [1, 0], "adapter_list"),
      ("k_adapter", "adapter_list", [0, 3], "adapter_list"), ("k_adapter", "adapter_list", [-1], "adapter_list"),
      ("k_adapter", "adapter_list", nil, "adapter_list"),
      ("k_adapter", "adapter_size", 0, "adapter_size"), ("k_adapter", "num_attention_heads", 3, "num_attention_heads"),
      ("k_adapter", "adapter_skip_layers", 1, "adapter_skip_layers"),
      ("k_adapter", "adapter_skip_layers", -2, "adapter_skip_layers"),
      ("k_adapter", "adapter_transformer_layers", 0, "adapter_transformer_layers"),
      ("k_adapter", "knowledge", 0, "knowledge"),
      ("k_adapter", "intermediate_size", -1, "intermediate_size"),
      ("k_adapter", "reduction_factor", 2, "reduction_factor"),
      ("udapter", "languages", [], "languages"), ("udapter", "languages", ["tr", "tr"], "languages"),
      ("udapter", "language", "yo", "language"),
      ("udapter", "language", nil, "language"), ("udapter", "language_size", 0, "language_size"),
      ("udapter", "feature_projection", 3, "feature_projection"),
      ("udapter", "features", 0, "features"), ("udapter", "reduction_factor", -1, "reduction_factor"),
      ("udapter", "inv_adapter", "nice", "inv_adapter"),
    ] as [(String, String, JSON?, String)])
  func refusesWhatMakesNoSenseForTheOtherMethods(name: String, key: String, value: JSON?, subject: String) throws {
    var configuration = try #require(methods.first { $0.name == name }).configuration
    configuration[key] = value
    #expect(try refusal(of: configuration).subject ?? "" == subject)
  }

  private func refusal(of configuration: JSON.Members) throws -> Failure {
    let model = try TinyModel()
    return try #require(throws: Failure.self) {
      try AdapterMethods.load(
        JSONObject(configuration), StoredWeights([:]), shape: model.base.shape, engine: model.engine)
    }
  }

  private func expectRefusal(of configuration: JSON.Members) throws {
    #expect(try refusal(of: configuration).code != .unfittingWeights)
  }
}
