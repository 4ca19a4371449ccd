import HubTraining
import HubWords

extension Case {
  /// The `train` of a case.
  struct Training {
    let optimizer: any Optimizer
    let schedule: Schedule
    let maximumNorm: Double?
    let hasSchedule: Bool
    let accumulation: Accumulation
    /// The batches of each step, in turn.
    let microBatches: [Int]
    let labelSmoothing: Float
    let steps: Int
    let adapters: [String]
    let regularizesFusion: Bool
    let mode: String
    let withoutDecay: Set<String>
    let batches: [Batch]
    /// Of the case's own inputs.
    let labels: JSONObject?

    init(_ json: JSONObject) throws {
      steps = try json.integer("steps")
      optimizer = try Self.optimizer(json.object("optimizer"))
      let schedule = try json.optionalObject("schedule")
      hasSchedule = schedule != nil
      self.schedule = try schedule.map(Self.schedule) ?? Schedule()
      maximumNorm = try json.optionalNumber("max_grad_norm")
      let accumulation = try json.optionalObject("accumulation")
      self.accumulation = try accumulation.flatMap { Accumulation(rawValue: try $0.string("loss")) } ?? .mean
      microBatches = accumulation?.members["micro_batches"]?.integers ?? [1]
      labelSmoothing = Float(try json.optionalNumber("label_smoothing") ?? 0)
      adapters = try json.members["setup"].flatMap { $0.isNull ? nil : try Case.composition($0).leaves } ?? []
      regularizesFusion = try json.optionalBool("fusion_regularization") ?? false
      mode = try json.string("mode")
      labels = try json.optionalObject("labels")
      let optimizer = try json.object("optimizer")
      withoutDecay = Set(try optimizer.optionalStrings("no_decay") ?? json.optionalStrings("no_decay") ?? [])
      var batches: [Batch] = []
      for item in json.members["batches"]?.array ?? [] {
        let item = try JSONObject(item)
        var batch = try Batch(item.object("inputs"))
        batch.labels = try item.object("labels")
        batches.append(batch)
      }
      self.batches = batches
    }

    private static func optimizer(_ json: JSONObject) throws -> any Optimizer {
      func number(_ key: String, _ absent: Float) throws -> Float {
        try json.optionalNumber(key).map(Float.init) ?? absent
      }
      let rate = try json.optionalNumber("lr").map(Float.init), decay = try number("weight_decay", 0)
      switch try json.string("name") {
      case "SGD":
        return SGD(
          learningRate: rate ?? 0, momentum: try number("momentum", 0), dampening: try number("dampening", 0),
          usesNesterov: try json.optionalBool("nesterov") ?? false, weightDecay: decay)
      case "Adafactor":
        let epsilons = try json.array("eps").compactMap(\.number).map(Float.init)
        return Adafactor(
          learningRate: rate, epsilons: (epsilons[0], epsilons[1]), clipThreshold: try number("clip_threshold", 1),
          decayRate: try number("decay_rate", -0.8), beta1: try json.optionalNumber("beta1").map(Float.init),
          weightDecay: decay, scalesByParameter: try json.optionalBool("scale_parameter") ?? true,
          warmsUp: try json.optionalBool("warmup_init") ?? false)
      default:
        let betas = try json.array("betas").compactMap(\.number).map(Float.init)
        return AdamW(
          learningRate: rate ?? 0, weightDecay: decay, betas: (betas[0], betas[1]), epsilon: try number("eps", 1e-8))
      }
    }

    private static func schedule(_ json: JSONObject) throws -> Schedule {
      let warmup = try json.optionalInteger("warmup_steps") ?? 0, total = try json.optionalInteger("total_steps") ?? 0
      let shape: Schedule.Shape =
        switch try json.string("name") {
        case "linear": .linear
        case "cosine": .cosine(cycles: try json.optionalNumber("num_cycles") ?? 0.5)
        case "cosine_with_restarts": .cosineWithRestarts(cycles: try json.optionalNumber("num_cycles") ?? 1)
        case "polynomial": .polynomial(power: try json.optionalNumber("power") ?? 1)
        case "inverse_sqrt": .inverseSquareRoot(timescale: try json.optionalInteger("timescale"))
        case "constant", "constant_with_warmup": .constant
        case let name: throw Failure(.unsupportedCase, "the schedule \(name)")
        }
      return Schedule(shape, warmupSteps: warmup, totalSteps: total)
    }
  }
}
