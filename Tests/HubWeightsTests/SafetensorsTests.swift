import HubWords
import HubTesting
import HubWeights
import Testing

@Suite struct SafetensorsTests {
  /// A file with this header and so many bytes of data.
  private func file(_ header: String, data: Int) -> [UInt8] {
    let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    return length + Array(header.utf8) + [UInt8](repeating: 0, count: data)
  }

  @Test func `Tensors come out as the reference sees them`() throws {
    let file = try Safetensors.open(Fixture.path("mixed.safetensors"))
    #expect(file.metadata == ["format": "pt"])
    #expect(file.tensors.map(\.name) == ["a", "b", "c", "i"])
    for (name, expected) in try Fixture.expected("mixed") {
      #expect(try file.tensor(name).shape == expected.shape)
      #expect(try file.tensor(name).floats() == expected.values.map(Float.init))
      #expect(try file.tensor(name).withFloats { Array($0) } == expected.values.map(Float.init))
    }
    #expect(code { _ = try file.tensor("x") } == "tensor/missing")
  }

  @Test func `Shards are one set of tensors`() throws {
    let file = try ShardedWeights.open(Fixture.path("sharded.safetensors.index.json"))
    #expect(file.tensors.map(\.name) == ["a", "b"])
  }

  @Test(
    "An index that its shards do not bear out is refused",
    arguments: [
      (#"{"weight_map":{"a":"one.safetensors","x":"one.safetensors"}}"#, "safetensors/shards"),
      (#"{"weight_map":{"x":"one.safetensors"}}"#, "safetensors/shards"),
      (#"{"weight_map":{"a":"../one.safetensors"}}"#, "safetensors/shards"),
      (#"{"weight_map":{"a":"two.safetensors"}}"#, "file/not-found"),
      (#"{"weight_map":{"a":1}}"#, "safetensors/shards"),
      (#"{}"#, "json/unexpected"),
    ])
  func shards(index: String, expected: String) throws {
    let scratch = try Scratch()
    _ = try scratch.file(
      "one.safetensors", SafetensorsWriter.bytes(of: [StoredTensor(name: "a", shape: [1], floats: [1])]))
    let path = try scratch.file("model.safetensors.index.json", Array(index.utf8))
    #expect(code { _ = try ShardedWeights.open(path) } == expected)
  }

  @Test(
    "Whatever is not exactly the format is refused",
    arguments: [
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "safetensors/truncated"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "safetensors/layout"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#, 5, "safetensors/layout"),
      (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "safetensors/layout"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}"#, 0, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "tensor/malformed"),
      (#"{"a":{"dtype":"F32","shape":[2147483648],"data_offsets":[0,4]}}"#, 4, "tensor/malformed"),
      (
        #"{"a":{"dtype":"F64","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}"#, 4, "tensor/malformed"
      ),
      (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4, "tensor/malformed"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, 4, "safetensors/truncated"),
      (#"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1, "safetensors/type"),
      (#"{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}"#, 4, "safetensors/type"),
      (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "safetensors/header"),
      (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "safetensors/header"),
      (
        #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#,
        3, "safetensors/layout"
      ),
      (
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
        2, "json/malformed"
      ),
      (#"{"__metadata__":{"a":1}}"#, 0, "safetensors/header"), (#"{"__metadata__":[]}"#, 0, "json/unexpected"),
      (#" {}"#, 0, "safetensors/header"), ("{}\n", 0, "safetensors/header"), ("[]", 0, "safetensors/header"),
      ("", 0, "safetensors/header"), (#"{}"#, 1, "safetensors/layout"),
    ])
  func malformed(header: String, data: Int, expected: String) {
    #expect(code { _ = try Safetensors.read(file(header, data: data), path: "file") } == expected)
  }

  @Test func `Absurd lengths of the header are refused before anything is read`() {
    for length: UInt64 in [.max, 1 << 63, 1 << 40, 8 << 20 + 1, 100] {
      let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{}".utf8)
      #expect(throws: Failure.self) { try Safetensors.read(bytes, path: "file") }
    }
  }

  @Test func `Misaligned data is legal`() throws {
    let header =
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
    let weights = try Safetensors.read(file(header, data: 5), path: "file")
    #expect(try weights.tensor("b").withFloats { Array($0) } == [0])
  }

  @Test func `Every truncation is refused`() throws {
    let bytes = try Fixture.bytes("mixed.safetensors")
    for length in bytes.indices {
      #expect(throws: Failure.self) { try Safetensors.read(Array(bytes.prefix(length)), path: "file") }
    }
  }

  @Test func `No flipped byte crashes the reader`() throws {
    let bytes = try Fixture.bytes("mixed.safetensors")
    for index in bytes.indices {
      for mask in UInt8.min ... .max {
        var damaged = bytes
        damaged[index] ^= mask
        let result = code { try Safetensors.read(damaged, path: "file").checkFinite() }
        #expect(result?.hasPrefix("not a Failure") != true)
      }
    }
  }

  @Test func `Infinities are found where they are`() throws {
    let bad = try StoredTensor(name: "w", shape: [2, 2], floats: [0, 1, -.infinity, .nan])
    #expect(bad.firstNonFinite == 2)
    #expect(try StoredTensor(name: "w", shape: [2], floats: [-0.0, .greatestFiniteMagnitude]).firstNonFinite == nil)
    #expect(try StoredTensor(name: "w", type: .bfloat16, shape: [2], bytes: [0, 0, 0x80, 0x7F]).firstNonFinite == 1)
    #expect(try StoredTensor(name: "w", type: .float16, shape: [1], bytes: [1, 0x7C]).firstNonFinite == 0)
    #expect(code { try bad.checkFinite() } == "tensor/not-finite")
  }

  @Test func `What is written is read the same, in one order`() throws {
    let tensors = [
      try StoredTensor(name: "z\"é", shape: [2], floats: [1, 2]), try StoredTensor(name: "a", shape: [], floats: [3]),
      try StoredTensor(name: "b", type: .bool, shape: [3], bytes: [1, 0, 1]),
    ]
    let bytes = try SafetensorsWriter.bytes(of: tensors, metadata: ["format": "pt"])
    #expect(try bytes == SafetensorsWriter.bytes(of: tensors.reversed(), metadata: ["format": "pt"]))
    #expect(bytes[0] % 8 == 0)
    let file = try Safetensors.read(bytes, path: "file")
    #expect(file.tensors.map(\.name) == ["a", "b", "z\"é"])
    #expect(try file.tensor("z\"é").floats() == [1, 2])
    let scratch = try Scratch()
    try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: scratch("w.safetensors"))
    #expect(try Safetensors.open(scratch("w.safetensors")).tensor("a").floats() == [3])
    #expect(code { _ = try SafetensorsWriter.bytes(of: [tensors[0], tensors[0]]) } == "tensor/malformed")
  }
}
