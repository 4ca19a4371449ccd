import Foundation
import HubWords
import Testing

@testable import HubWeights

@Suite struct GGUFTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path
  static let bytes = (try? [UInt8](Data(contentsOf: URL(filePath: folder + "/types.gguf")))) ?? []

  @Test func `every type gives the numbers of the gguf package`() throws {
    let file = try GGUFFile(Self.folder + "/types.gguf")
    let text = try [UInt8](Data(contentsOf: URL(filePath: Self.folder + "/types.json")))
    let expected = try JSONObject(JSON(parsing: text))
    #expect(file.tensors.count == GGUFType.allCases.count)
    for tensor in file.tensors {
      let wanted = try expected.object(tensor.name)
      #expect(tensor.type.name == tensor.name)
      #expect(try wanted.required("shape", "sizes") { $0.integers } == tensor.shape)
      let values = try wanted.array("values").map { Float($0.number ?? .nan) }
      let floats = tensor.floats()
      #expect(floats.count == values.count)
      // The package multiplies in another order for some types.
      for (got, value) in zip(floats, values) {
        let bound = 2e-7 * max(1, abs(value))
        #expect(abs(got - value) <= bound, "\(tensor.name)")
      }
      let turned = try tensor.expanded(named: "x", rowOrder: [2, 0, 1]).floats()
      let columns = tensor.columns
      let inOrder = [Float](floats.suffix(columns)) + [Float](floats.dropLast(columns))
      #expect(turned == inOrder)
    }
  }

  @Test func `metadata of every kind is read`() throws {
    let metadata = try GGUFFile(Self.bytes, path: "types.gguf").metadata
    let integers = [
      "uint8": 200, "int8": -3, "uint16": 60000, "int16": -300, "uint32": 4_000_000_000, "int32": -70000,
      "uint64": 1 << 40,
      "int64": -(1 << 40),
    ]
    for (kind, value) in integers { #expect(metadata["a.\(kind)"]?.integer == value) }
    #expect(metadata["a.float32"]?.number == Double(Float(0.1)) && metadata["a.float64"]?.number == 0.1)
    #expect(metadata["a.bool"]?.bool == true && metadata["a.string"]?.string == "größe")
    #expect(metadata["a.strings"]?.strings == ["a", "", "é"] && metadata["a.integers"]?.integers == [1, -2, 3])
    #expect(metadata["a.numbers"]?.numbers == [0.5, -1.5] && metadata["general.architecture"]?.string == "test")
  }

  @Test func `a file that is cut short is refused wherever it is cut`() {
    for count in stride(from: 0, to: Self.bytes.count - 32, by: 7) {
      #expect(throws: Failure.self) { try GGUFFile(Array(Self.bytes.prefix(count)), path: "x") }
    }
  }

  @Test func `a flipped byte never does worse than a failure`() {
    for place in stride(from: 0, to: 1600, by: 1) {
      for flip: UInt8 in [0x01, 0x80, 0xFF] {
        var bytes = Self.bytes
        bytes[place] ^= flip
        if let file = try? GGUFFile(bytes, path: "x") { for tensor in file.tensors { _ = tensor.floats() } }
      }
    }
  }

  /// A file of one tensor of 32 elements, with what a test changes.
  private func file(
    version: UInt32 = 3, tensors: UInt64 = 1, values: UInt64 = 0, extra: [UInt8] = [], name: String = "t",
    sizes: [UInt64] = [32],
    type: UInt32 = 0, offset: UInt64 = 0, data: Int = 128
  ) -> [UInt8] {
    func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian, Array.init)
    }
    var head: [UInt8] = Array("GGUF".utf8)
    for part in [bytes(version), bytes(tensors), bytes(values), extra] { head += part }
    let sizeBytes: [UInt8] = sizes.flatMap { bytes($0) }
    for part in [bytes(UInt64(name.utf8.count)), Array(name.utf8), bytes(UInt32(sizes.count)), sizeBytes] {
      head += part
    }
    for part in [bytes(type), bytes(offset)] { head += part }
    head += [UInt8](repeating: 0, count: (32 - head.count % 32) % 32)
    return head + [UInt8](repeating: 0, count: data)
  }

  private func code(_ bytes: [UInt8]) -> Failure.Code? {
    do { _ = try GGUFFile(bytes, path: "x") } catch { return (error as? Failure)?.code }
    return nil
  }

  @Test func `a file that lies is refused`() {
    #expect(code(file()) == nil)
    #expect(code(file(version: 1)) == .unsupportedGGUF)
    #expect(code(file(version: 0x0300_0000)) == .unsupportedGGUF)
    #expect(code(file(tensors: .max)) == .excessiveGGUF)
    #expect(code(file(tensors: 16_000)) == .truncatedGGUF)
    #expect(code(file(values: .max)) == .excessiveGGUF)
    #expect(code(file(values: 4000)) == .truncatedGGUF)
    #expect(code(file(sizes: [])) == .malformedGGUF)
    #expect(code(file(sizes: [1, 1, 1, 1, 1])) == .malformedGGUF)
    #expect(code(file(sizes: [.max])) == .excessiveGGUF)
    #expect(code(file(sizes: [1 << 31, 1 << 31])) == .malformedTensor)
    #expect(code(file(sizes: [64])) == .truncatedGGUF)
    #expect(code(file(sizes: [16])) == .malformedGGUF)
    #expect(code(file(sizes: [33], type: 8)) == .malformedGGUF)
    #expect(code(file(type: 10)) == .unsupportedGGUF)
    #expect(code(file(type: 999)) == .unsupportedGGUF)
    #expect(code(file(offset: 32)) == .malformedGGUF)
    #expect(code(file(offset: .max)) == .truncatedGGUF)
    #expect(code(Array("GGML".utf8)) == .malformedGGUF)
    #expect(code([]) == .malformedGGUF)
    // An array that claims more strings than the file has bytes.
    let key: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0x61]
    #expect(code(file(values: 1, extra: key + [9, 0, 0, 0, 8, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0])) == .truncatedGGUF)
    #expect(code(file(values: 1, extra: key + [9, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])) == .unsupportedGGUF)
    #expect(code(file(values: 1, extra: key + [13, 0, 0, 0])) == .malformedGGUF)
    #expect(code(file(values: 1, extra: key + [7, 0, 0, 0, 2])) == .malformedGGUF)
    let twice = key + [7, 0, 0, 0, 1]
    #expect(code(file(values: 2, extra: twice + twice)) == .malformedGGUF)
  }

  @Test func `numbers that are not finite are refused by the tensor's name`() throws {
    var bytes = file()
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    let tensor = try GGUFFile(bytes, path: "x").tensors[0]
    let failure = #expect(throws: Failure.self) { try tensor.expanded(named: "x") }
    #expect(failure?.code == .nonFiniteTensor && failure?.subject == "t")
  }
}
