import HubTensor
import Testing

/// Numbers in −1..1 that are the same in every run.
struct Numbers {
  private var state: UInt64

  init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
  }

  mutating func callAsFunction(_ count: Int) -> [Float] { (0..<count).map { _ in next() } }
}

/// One engine per instruction set of this machine, with one thread and with three.
let engines: [Engine] = Kernels.available.flatMap { kernels in [1, 3].map { Engine(kernels: kernels, threads: $0) } }

func expectClose(
  _ got: [Float], _ expected: [Double], within tolerance: Double, _ what: String,
  location: SourceLocation = #_sourceLocation
) {
  guard got.count == expected.count else {
    Issue.record("\(what): \(got.count) values instead of \(expected.count)", sourceLocation: location)
    return
  }
  for (index, (value, reference)) in zip(got, expected).enumerated()
  where !(abs(Double(value) - reference) <= tolerance * max(1, abs(reference))) {
    Issue.record("\(what): element \(index) is \(value), not \(reference)", sourceLocation: location)
    return
  }
}
