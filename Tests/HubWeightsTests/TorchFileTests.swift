import HubWords
import HubTesting
import HubWeights
import Testing

@Suite struct TorchFileTests {
  static let good = ["plain", "views", "types", "parameters", "module"]

  @Test("Tensors come out as torch itself sees them", arguments: good, ["", "-legacy"])
  func golden(name: String, layout: String) throws {
    let file = try TorchFile.open(Fixture.path("\(name)\(layout).bin"))
    for (name, expected) in try Fixture.expected(name) {
      let tensor = try file.tensor(name)
      #expect(tensor.shape == expected.shape)
      #expect(try tensor.floats() == expected.values.map(Float.init), "\(name)")
    }
  }

  @Test func `Integer tensors keep their type`() throws {
    let file = try TorchFile.open(Fixture.path("types.bin"))
    #expect(try file.tensor("long").type == .int64)
    #expect(try file.tensor("bool").withBytes { Array($0) } == [1, 0])
    #expect(code { _ = try file.tensor("int").floats() } == "tensor/type")
  }

  @Test(
    "What is not a dictionary of tensors is refused by name",
    arguments: [
      ("lone-tensor", "torch/unexpected-object", "found a tensor"),
      ("nested", "torch/unexpected-object", "found a dictionary"),
      ("number", "torch/unexpected-object", "found an integer"),
      ("float8", "pickle/forbidden-global", "_rebuild_tensor_v3"),
      ("device", "pickle/forbidden-global", "device"),
    ])
  func unexpected(name: String, code: String, words: String) {
    #expect { try TorchFile.open(Fixture.path("\(name).bin")) } throws: { error in
      let failure = error as? Failure
      return failure?.code.name == code && failure?.message.contains(words) == true
    }
  }

  @Test("Bad files are refused with the code beside them", arguments: try Fixture.names(in: "bad", ".bin"))
  func bad(name: String) throws {
    let expected = String(decoding: try Fixture.bytes("bad/\(name).expected"), as: UTF8.self).dropLast()
    #expect(code { _ = try TorchFile.open(Fixture.path("bad/\(name)")) } == String(expected))
  }

  @Test("Every truncation is refused", arguments: good, ["", "-legacy"])
  func truncation(name: String, layout: String) throws {
    let bytes = try Fixture.bytes("\(name)\(layout).bin")
    for length in 0..<bytes.count {
      #expect(code { _ = try TorchFile.read(Array(bytes.prefix(length)), path: "file") } != nil, "\(length)")
    }
    #expect(code { _ = try TorchFile.read(bytes + [0], path: "file") } != nil)
  }

  @Test("No flipped byte crashes the reader", arguments: ["plain", "views", "parameters"], ["", "-legacy"])
  func flips(name: String, layout: String) throws {
    let bytes = try Fixture.bytes("\(name)\(layout).bin")
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0xFF] {
        var damaged = bytes
        damaged[index] ^= mask
        let result = code { try TorchFile.read(damaged, path: "file").checkFinite() }
        #expect(result?.hasPrefix("not a Failure") != true, "\(index): \(result ?? "")")
      }
    }
  }

  @Test func `A flipped bit in a storage of the zip layout is noticed`() throws {
    var bytes = try Fixture.bytes("views.bin")
    let storage = try Fixture.bytes("views-legacy.bin").suffix(40)
    let place = try #require(bytes.indices.dropLast(40).first { bytes[$0..<$0 + 40].elementsEqual(storage) })
    bytes[place] ^= 1
    #expect(code { _ = try TorchFile.read(bytes, path: "file") } == "archive/damaged")
  }
}
