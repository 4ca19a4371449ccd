import HubWords
import Testing

@testable import HubWeights

@Suite struct CompressedTensorsTests {
  private static let matrix = [1.0, -2, 0.5, 0, 0, 0, 127, 63.4, -127] as [Float]

  private func compressed() throws -> [StoredTensor] {
    try CompressedTensors.compressed([
      StoredTensor(name: "a.weight", shape: [3, 3], floats: Self.matrix),
      StoredTensor(name: "a.bias", shape: [3], floats: [1, 2, 3]),
    ])
  }

  private func configuration(_ change: (inout JSON.Members) -> Void = { _ in }) -> JSONObject {
    var description = CompressedTensors.configuration
    change(&description)
    return JSONObject(["quantization_config": .object(description)] as JSON.Members)
  }

  @Test func eachRowHasItsOwnScale() throws {
    let tensors = try compressed()
    #expect(tensors.map(\.name) == ["a.weight", "a.weight_scale", "a.bias"])
    #expect(tensors.map(\.type) == [.int8, .float32, .float32])
    #expect(tensors[0].withBytes { $0.map { Int8(bitPattern: $0) } } == [64, -127, 32, 0, 0, 0, 127, 63, -127])
    #expect(try tensors[1].floats() == [2 / 127, 0, 1])
    #expect(tensors[1].shape == [3, 1])
  }

  @Test func itComesBackWithinHalfAStep() throws {
    let back = try CompressedTensors.expanded(compressed(), configuration())
    #expect(back.map(\.name) == ["a.weight", "a.bias"])
    let steps = [2.0 / 127, 0, 1] as [Float]
    for (index, (found, before)) in zip(try back[0].floats(), Self.matrix).enumerated() {
      #expect(abs(found - before) <= steps[index / 3] / 2 + 1e-6)
    }
    #expect(try back[1].floats() == [1, 2, 3])
  }

  @Test func oneScaleMayStandForAllRows() throws {
    let tensors = [
      try StoredTensor(name: "w", type: .int8, shape: [2, 2], bytes: [1, 255, 128, 0]),
      try StoredTensor(name: "w_scale", shape: [1], floats: [0.5]),
    ]
    #expect(try CompressedTensors.expanded(tensors, configuration())[0].floats() == [0.5, -0.5, -64, 0])
  }

  @Test func whatIsNotReadIsRefusedByName() throws {
    let changes: [(String, (inout JSON.Members) -> Void)] = [
      ("quant_method", { $0["quant_method"] = "gptq" }), ("quant_method", { $0["quant_method"] = nil }),
      ("format", { $0["format"] = "pack-quantized" }), ("config_groups", { $0["config_groups"] = nil }),
      ("num_bits", { $0["config_groups"] = ["g": ["weights": ["num_bits": 4]]] }),
      ("strategy", { $0["config_groups"] = ["g": ["weights": ["num_bits": 8, "strategy": "group"]]] }),
      ("symmetric", { $0["config_groups"] = ["g": ["weights": ["num_bits": 8, "symmetric": false]]] }),
      (
        "input_activations",
        { $0["config_groups"] = ["g": ["weights": ["num_bits": 8], "input_activations": ["num_bits": 8]]] }
      ),
    ]
    for (key, change) in changes {
      let failure = #expect(throws: Failure.self) {
        try CompressedTensors.expanded(compressed(), configuration(change))
      }
      #expect(failure?.subject?.contains(key) == true, "\(key): \(failure.map { "\($0)" } ?? "")")
    }
  }

  @Test func scalesThatDoNotFitAreRefused() throws {
    let matrix = try StoredTensor(name: "w", type: .int8, shape: [2, 2], bytes: [1, 2, 3, 4])
    let vector = try StoredTensor(name: "w", type: .int8, shape: [4], bytes: [1, 2, 3, 4])
    let scales = try [[Float]]([[1, 2, 3], [], [.nan, 1], [.infinity, 1]]).map {
      try StoredTensor(name: "w_scale", shape: [$0.count], floats: $0)
    }
    for tensors in [[matrix]] + scales.map({ [matrix, $0] }) + [[vector, scales[0]]] {
      #expect(throws: Failure.self) { try CompressedTensors.expanded(tensors, configuration()) }
    }
  }

  @Test func sixteenBitsAreTheNearest() throws {
    let rounded = try StoredTensor(name: "w", shape: [4], floats: [1, 1 + 0x1p-8, 1 + 0x3p-8, -3.14159])
      .roundedToBFloat16()
    #expect(try rounded.floats() == [1, 1, 1 + 0x1p-6, -3.140625])
  }
}
