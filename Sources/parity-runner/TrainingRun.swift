import HubAdapters
import HubForeign
import HubModels
import HubTensor
import HubTraining
import HubTransformer
import HubWeights
import HubWords

/// Trains as a case says, by the library's own steps, and collects the tensors that it names.
struct TrainingRun {
  private let training: Case.Training
  private let loaded: Loaded
  private let model: TrainingModel
  private let parityCase: Case

  init(_ parityCase: Case, _ training: Case.Training, _ loaded: Loaded, setup: Setup?) throws {
    (self.parityCase, self.training, self.loaded) = (parityCase, training, loaded)
    let names = parityCase.heads + loaded.headsOfCheckpoint
    guard !names.isEmpty else { throw Failure(.unsupportedCase, "training without a head") }
    let heads = try names.map { name in
      guard let head = loaded.heads[name]?.head else { throw Failure(.unsupportedCase, "a head that is not there") }
      return head
    }
    var model = TrainingModel(base: loaded.base, setup: setup, heads: heads)
    model.skippedLayers = parityCase.skippedLayers
    model.labelSmoothing = training.labelSmoothing
    if training.regularizesFusion { model.regularizedFusions = loaded.usedFusions }
    self.model = model
  }

  func outputs() throws -> [StoredTensor] {
    var outputs: [StoredTensor] = []
    func output(_ name: String, _ shape: [Int], _ values: [Float]) throws {
      outputs.append(try StoredTensor(name: name, shape: shape, floats: values))
    }
    let trained = try loaded.trained(training)
    var learner = Learner(
      trained.map {
        TrainedParameter($0.name, $0.parameter, decays: Set($0.names).isDisjoint(with: training.withoutDecay))
      }, training.optimizer, schedule: training.schedule, maximumNorm: training.maximumNorm,
      accumulation: training.accumulation)
    var own = parityCase.input
    own.labels = training.labels ?? own.labels
    let all = training.batches.isEmpty ? [own] : training.batches
    var next = 0
    for step in 0..<training.steps {
      let count = training.microBatches[step % training.microBatches.count]
      let batches = (next..<next + count).map { all[$0 % all.count] }
      next += count
      let report = try learner.step(batches, itemCount: batches.reduce(0) { $0 + $1.labelCount }, on: loaded.engine) {
        batch, context in try model.loss(trainingBatch(batch), in: context)
      }
      try output("loss.\(step)", [], [Float(report.loss)])
      if training.maximumNorm != nil { try output("grad_norm.\(step)", [], [Float(report.gradientNorm)]) }
      if training.hasSchedule { try output("lr_factor.\(step)", [], [Float(report.rateFactor)]) }
      guard step == 0 else { continue }
      for (item, gradient) in zip(trained, report.gradients) {
        let values = gradient?.values ?? [Float](repeating: 0, count: item.parameter.count)
        for name in item.names { try output("grad.\(name)", item.shape, values) }
      }
    }
    for item in trained {
      for name in item.names { try output("param.\(name)", item.shape, item.parameter.value.values) }
    }
    return try Self.joined(outputs)
  }

  /// Puts what a model stores together below each other: `x#0`, `x#1` become `x`.
  private static func joined(_ tensors: [StoredTensor]) throws -> [StoredTensor] {
    let parts = Dictionary(grouping: tensors.filter { $0.name.contains("#") }) {
      String($0.name.split(separator: "#")[0])
    }
    return try tensors.filter { !$0.name.contains("#") }
      + parts.map { name, parts in
        let sorted = parts.sorted { $0.name < $1.name }, rows = sorted.reduce(0) { $0 + $1.shape[0] }
        return try StoredTensor(
          name: name, shape: [rows] + sorted[0].shape.dropFirst(), floats: sorted.flatMap { try $0.floats() })
      }
  }

  /// In the reference padding counts in the means of gates, and competes with the tokens where answers begin and end.
  private func trainingBatch(_ batch: Case.Batch) throws -> TrainingBatch {
    let source = batch.layout(keepsPadding: model.heads.contains { $0.answer == .span } || loaded.hasGates)
    let target = (loaded.base as? any EncoderDecoder).map { batch.decoderLayout(of: $0) }
    return TrainingBatch(
      source.tokens, try model.heads.indices.map { try targets(batch, $0, target ?? source) }, tasks: batch.tasks,
      words: batch.paddedWords, written: target?.tokens)
  }

  private static func counted(_ label: Int?) -> Int? { label == -100 ? nil : label }

  private func targets(_ batch: Case.Batch, _ index: Int, _ layout: Layout) throws -> HeadTargets {
    let head = model.heads[index], sequences = layout.tokens.sequences
    func numbers(_ key: String) throws -> [Int] { try batch.labels.array(key).map { $0.integer ?? -100 } }
    switch head.answer {
    case .span:
      let ends = try numbers("end_positions"), length = batch.inputIDs.first?.count ?? 0
      let spans = try zip(numbers("start_positions"), ends).map { start, end in
        (start: start < length ? start : nil, end: end < length ? end : nil)
      }
      return .spans(spans, of: sequences)
    case .tree:
      let relations = try batch.labels.array("labels_rels").map { $0.integers ?? [] }
      let trees = try zip(batch.labels.array("labels_arcs"), relations).map { arcs, relations in
        zip(arcs.integers ?? [], relations).map { (head: $0, relation: $1) }
      }
      return .trees(trees, padsWithZeros: true)
    default: break
    }
    var labels = try batch.labels.array("labels")
    if let parts = parityCase.headParts {
      let first = parts[..<index].reduce(0, +)
      labels = Array(labels[first..<first + parts[index]])
    }
    switch head.answer {
    case .number: return .values(labels.map { Float($0.number ?? .nan) })
    case .labels:
      return .sets(
        labels.map { row -> Set<Int> in
          let flags: [JSON] = row.array ?? []
          return Set(flags.indices.filter { flags[$0].number == 1 })
        })
    case let answer where answer.unit == .token:
      // Where words follow, each token is taught the next one.
      let step = loaded.base is any Decoder && head.answer == .word ? 1 : 0
      let answers = layout.places.map { place -> Int? in
        let flags: [JSON] = labels[place.row].array ?? [], column = place.column + step
        return column < flags.count ? Self.counted(flags[column].integer) : nil
      }
      let following = labels.reduce(0) { sum, row in
        sum + (row.array ?? []).dropFirst().count { Self.counted($0.integer) != nil }
      }
      guard step == 0 || answers.count(where: { $0 != nil }) == following else {
        throw Failure(.unsupportedCase, "a label that the reference predicts from padding")
      }
      return .classes(answers)
    default: return .classes(labels.map { Self.counted($0.integer) })
    }
  }
}

extension Case.Batch {
  /// The labels that count.
  fileprivate var labelCount: Int {
    let rows: [JSON] = labels.members["labels"]?.array ?? []
    return rows.reduce(0) { sum, row in sum + (row.integers ?? [row.integer ?? 0]).count { $0 != -100 } }
  }
}

extension Loaded {
  /// A parameter that a training case trains, by the names and in the shape that the Python libraries give it.
  struct Trained {
    let names: [String]
    let shape: [Int]
    let parameter: Parameter

    var name: String { names[0] }
  }

  /// Whether an adapter has gates, which in the reference see padding.
  var hasGates: Bool { adapters.values.contains { $0.method.parameters.contains { $0.name.contains("gate") } } }

  func trained(_ training: Case.Training) throws -> [Trained] {
    switch training.mode {
    case "full": return try whole(family)
    case "peft": return try lowRank(family)
    default:
      return trainedAdapters(training, AdapterHubNames(family, encoderLayers: base.shape.encoderLayers))
        + trainedHeads()
    }
  }

  private func trainedAdapters(_ training: Case.Training, _ names: AdapterHubNames) -> [Trained] {
    var result: [Trained] = []
    if training.mode == "fusion" {
      for (name, fusion) in usedFusionsByName.sorted(by: { $0.key < $1.key }) {
        for parameter in fusion.parameters {
          let stored = names.stored(fusionTensor: parameter.name, of: name)
          let shape = parameter.name.hasSuffix("weight") ? [parameter.rows, parameter.columns] : [parameter.count]
          result.append(Trained(names: [stored ?? parameter.name], shape: shape, parameter: parameter))
        }
      }
    }
    var seen: Set<ObjectIdentifier> = []
    for name in training.adapters where training.mode == "adapter" {
      guard let adapter = adapters[name] else { continue }
      let frozen = Set(adapter.method.frozenParameters.map(ObjectIdentifier.init))
      for parameter in adapter.method.parameters
      where !frozen.contains(ObjectIdentifier(parameter)) && seen.insert(ObjectIdentifier(parameter)).inserted {
        let (own, part) = joined(parameter.name)
        let stored = (names.stored(own, of: name, configuration: adapter.configuration) ?? own) + part
        // What the library has under two names, or together with other adapters.
        let others = [
          stored.replacing(".adapter_down.0.", with: ".adapter_norm_before."),
          stored.replacing(
            ".loras.\(name).lora_", with: ".shared_parameters.\(training.adapters.joined(separator: ",")).lora_"),
          stored.hasPrefix(family.prefix + ".") ? family.unprefixed(stored) : stored,
        ].filter { $0 != stored }
        result.append(
          Trained(
            names: [stored] + others, shape: adapter.shapes[parameter.name] ?? [parameter.count], parameter: parameter))
      }
    }
    return result
  }

  /// The name of what a model stores together with others of its kind, and which part of it this is.
  private func joined(_ name: String) -> (name: String, part: String) {
    for (index, place) in (family.layers.joined?.places ?? []).enumerated() {
      let part = ".\(place.rawValue)."
      if name.contains(part) { return (name.replacing(part, with: ".joined."), "#\(index)") }
    }
    return (name, "")
  }

  private func trainedHeads() -> [Trained] {
    heads.sorted { $0.key < $1.key }.flatMap { name, head in
      let frozen = Set(head.head.frozenParameters.map(ObjectIdentifier.init))
      return head.head.parameters.filter { !frozen.contains(ObjectIdentifier($0)) }.map { parameter in
        let stored = AdapterHubNames.stored(headTensor: parameter.name, of: name, configuration: head.configuration)
        return Trained(
          names: [stored ?? parameter.name], shape: head.shapes[parameter.name] ?? [parameter.count],
          parameter: parameter)
      }
    }
  }

  /// Every weight of the model, an output layer that is the input embeddings once.
  private func whole(_ family: ModelFamily) throws -> [Trained] {
    let own = baseParameters.map {
      Trained(names: ["\(family.prefix).\($0.name)"], shape: $0.shape, parameter: $0)
    }
    let known = Set(baseParameters.map(ObjectIdentifier.init))
    return own
      + (heads["default"]?.head.parameters ?? []).filter { !known.contains(ObjectIdentifier($0)) }.map { parameter in
        let stored = form(family)?.stored(parameter.name) ?? parameter.name
        return Trained(
          names: [stored == "cls.predictions.decoder.bias" ? "cls.predictions.bias" : stored], shape: parameter.shape,
          parameter: parameter)
      }
  }

  private func form(_ family: ModelFamily) -> HeadForm? {
    heads["default"].flatMap { family.head(like: $0.configuration) }
  }

  /// PEFT's LoRA, and the head that it saves beside it.
  private func lowRank(_ family: ModelFamily) throws -> [Trained] {
    let factors = (adapters[Self.peftName]?.method.parameters ?? []).compactMap { parameter -> Trained? in
      let parts = parameter.name.split(separator: ".").map(String.init)
      guard parts.count == 4, let layer = Int(parts[1]), let place = Site.Place(rawValue: parts[2]),
        let path = family.layers.path(at: Site(layer, place))
      else { return nil }
      let factor = parts[3] == "lora_a" ? "lora_A" : "lora_B"
      return Trained(
        names: ["base_model.model.\(family.prefix).\(path).\(factor).weight"], shape: parameter.shape,
        parameter: parameter)
    }
    return factors
      + headsOfCheckpoint.compactMap { heads[$0] }.flatMap { head in
        let form = family.head(like: head.configuration)
        return head.head.parameters.map {
          Trained(
            names: ["base_model.model.\(form?.stored($0.name) ?? $0.name)"], shape: $0.shape, parameter: $0)
        }
      }
  }
}
