import HubModels
import HubWeights
import HubWords

/// Adapters of linear layers that a model stores as one, as PEFT adapts them: together.
///
/// One first factor for all is written as it is. Factors of their own stand below each other, and the second factors
/// along the diagonal: `[B₁ 0; 0 B₂]·[A₁; A₂]`.
struct PEFTJoined {
  /// What stands in a stable name for the layers together.
  static let place = "joined"

  private(set) var weights: [StoredTensor]
  /// The `alpha` of the layers together, by `layer.joined`.
  private(set) var alphas: [String: Double] = [:]
  private let places: [Site.Place]

  /// - Parameter number: what the configuration says of a target such as `3.query`
  init(
    _ tensors: [StoredTensor], of family: ModelFamily, isScaledByRoot: Bool,
    _ number: (_ key: String, _ target: String) -> Double?
  ) throws {
    let places = family.layers.joined?.places ?? []
    self.places = places
    let own = Dictionary(grouping: tensors) { tensor in
      Self.site(tensor.name).flatMap { places.contains($0.place) ? $0.layer : nil }
    }
    weights = own[nil] ?? []
    for (layer, tensors) in own.sorted(by: { ($0.key ?? -1) < ($1.key ?? -1) }) {
      guard let layer else { continue }
      let byName = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
      let isScaling = !tensors.contains { $0.name.hasSuffix(".lora_a") }
      if isScaling {
        try add(scalings: byName, layer)
      } else {
        try add(factors: byName, layer, isScaledByRoot: isScaledByRoot, number)
      }
    }
  }

  private static func site(_ name: String) -> Site? {
    let parts = name.split(separator: ".")
    guard parts.count == 4, parts[0] == "layers", let layer = Int(parts[1]) else { return nil }
    return Site.Place(rawValue: String(parts[2])).map { Site(layer, $0) }
  }

  private func name(_ layer: Int, _ place: Site.Place, _ parameter: String) -> String {
    "layers.\(layer).\(place.rawValue).\(parameter)"
  }

  private mutating func append(_ parameter: String, _ layer: Int, _ shape: [Int], _ values: [Float]) throws {
    weights.append(
      try StoredTensor(name: "layers.\(layer).\(Self.place).\(parameter)", shape: shape, floats: values))
  }

  /// What is not scaled is multiplied by one.
  private mutating func add(scalings tensors: [String: StoredTensor], _ layer: Int) throws {
    let width = tensors.values.first?.count ?? 0
    guard tensors.values.allSatisfy({ $0.count == width && $0.name.hasSuffix(".lora_b") }) else {
      throw Failure(.inexpressibleAdapter, "PEFT scales these layers together", at: "layers.\(layer)")
    }
    let values = try places.flatMap {
      try tensors[name(layer, $0, "lora_b")]?.floats() ?? Array(repeating: 1, count: width)
    }
    try append("lora_b", layer, [values.count, 1], values)
  }

  private mutating func add(
    factors tensors: [String: StoredTensor], _ layer: Int, isScaledByRoot: Bool,
    _ number: (_ key: String, _ target: String) -> Double?
  ) throws {
    func values(_ place: Site.Place, _ parameter: String) throws -> [Float]? {
      try tensors[name(layer, place, parameter)]?.floats()
    }
    let adapted = places.filter { tensors[name(layer, $0, "lora_a")] != nil }
    let shapes = try adapted.map { place -> (rank: Int, input: Int, output: Int) in
      guard let a = tensors[name(layer, place, "lora_a")], let b = tensors[name(layer, place, "lora_b")],
        a.shape.count == 2, b.shape.count == 2
      else { throw Failure(.inexpressibleAdapter, "a factor is missing", at: "layers.\(layer).\(place.rawValue)") }
      return (a.shape[0], a.shape[1], b.shape[0])
    }
    let factors = try adapted.map { (a: try values($0, "lora_a") ?? [], b: try values($0, "lora_b") ?? []) }
    let scales = zip(adapted, shapes).map { place, shape in
      (number("alpha", "\(layer).\(place.rawValue)") ?? 8) / Self.divisor(shape.rank, isScaledByRoot)
    }
    let isCommon = adapted == places && factors.allSatisfy { $0.a == factors[0].a } && Set(scales).count == 1
    let width = shapes[0].output, input = shapes[0].input
    for parameter in ["magnitude", "lora_b_bias"] {
      let own = try places.compactMap { try values($0, parameter) }
      guard !own.isEmpty else { continue }
      guard isCommon, own.count == places.count else {
        throw Failure(
          .inexpressibleAdapter, "PEFT adapts these layers together, with one first factor", at: "layers.\(layer)")
      }
      let all = own.flatMap { $0 }
      try append(parameter, layer, parameter == "magnitude" ? [all.count, 1] : [all.count], all)
    }
    if isCommon {
      try append("lora_a", layer, [shapes[0].rank, input], factors[0].a)
      try append("lora_b", layer, [places.count * width, shapes[0].rank], factors.flatMap(\.b))
      alphas["\(layer).\(Self.place)"] = scales[0] * Self.divisor(shapes[0].rank, isScaledByRoot)
      return
    }
    let rank = shapes.reduce(0) { $0 + $1.rank }
    var b = [Float](repeating: 0, count: places.count * width * rank), first = 0
    for (index, place) in adapted.enumerated() {
      let part = places.firstIndex(of: place) ?? 0, own = shapes[index].rank
      let ratio = Float(scales[index] / scales[0])
      for row in 0..<width {
        for column in 0..<own {
          b[(part * width + row) * rank + first + column] = ratio * factors[index].b[row * own + column]
        }
      }
      first += own
    }
    try append("lora_a", layer, [rank, input], factors.flatMap(\.a))
    try append("lora_b", layer, [places.count * width, rank], b)
    alphas["\(layer).\(Self.place)"] = scales[0] * Self.divisor(rank, isScaledByRoot)
  }

  private static func divisor(_ rank: Int, _ isScaledByRoot: Bool) -> Double {
    isScaledByRoot ? Double(rank).squareRoot() : Double(rank)
  }
}
