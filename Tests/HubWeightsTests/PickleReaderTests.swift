import HubWords
import HubTesting
import HubWeights
import Testing

/// Pickles as the third of a legacy file, which is read with nothing around it.
@Suite struct PickleReaderTests {
  private func result(_ pickle: [UInt8]) -> String? {
    let magic: [UInt8] = [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    let version: [UInt8] = [0x80, 2, 0x4D, 0xE9, 0x03, 0x2E]
    let system =
      [0x80, 2] + Array("}X".utf8) + [13, 0, 0, 0] + Array("little_endian".utf8) + [0x88] + Array("s.".utf8)
    return code {
      _ = try TorchFile.read(magic + version + system + pickle + [0x80, 2] + Array("].".utf8), path: "file")
    }
  }

  @Test func `An empty dictionary is weights`() {
    #expect(result([0x80, 2] + Array("}.".utf8)) == nil)
  }

  @Test(
    "Whatever would run code is refused",
    arguments: [
      ("cos\nsystem\n(X\u{04}\0\0\0truetR.", "pickle/forbidden-global"),
      ("cposix\nsystem\n.", "pickle/forbidden-global"),
      ("c__builtin__\neval\n.", "pickle/forbidden-global"),
      ("ctorch\nload\n.", "pickle/forbidden-global"),
      ("ctorch._utils\n_rebuild_tensor\n.", "pickle/forbidden-global"),
      ("ccollections\nOrderedDict.\n.", "pickle/forbidden-global"),
      ("(ios\nsystem\n.", "pickle/forbidden-opcode"),
      ("(cos\nsystem\no.", "pickle/forbidden-global"),
      ("(o.", "pickle/forbidden-opcode"),
      ("Pkey\n.", "pickle/forbidden-opcode"),
      ("S'text'\n.", "pickle/forbidden-opcode"),
      ("I1\n.", "pickle/forbidden-opcode"),
      ("ctorch\nFloatStorage\n)R.", "pickle/malformed"),
      ("ccollections\nOrderedDict\n]\u{85}R.", "pickle/forbidden-opcode"),
      ("]}b.", "pickle/malformed"), ("N}b.", "pickle/malformed"), (")}b.", "pickle/malformed"),
      ("]NNs.", "pickle/malformed"), ("}Na.", "pickle/malformed"), ("}(Nu.", "pickle/malformed"),
      ("NR.", "pickle/malformed"), (".", "pickle/malformed"), ("(.", "pickle/malformed"), ("NN.", "pickle/malformed"),
      ("t.", "pickle/malformed"), ("}(a.", "pickle/malformed"), ("h\u{05}.", "pickle/malformed"),
    ])
  func hostile(text: String, expected: String) {
    #expect(result([0x80, 2] + Array(text.utf8)) == expected)
  }

  @Test(
    "Instructions of other protocols are refused",
    arguments: [0x81, 0x82, 0x83, 0x84, 0x92, 0x93, 0x94, 0x95, 0x8C, 0x8B, 0x42, 0xFF] as [UInt8])
  func forbidden(opcode: UInt8) {
    #expect(result([0x80, 2, opcode, 1, 0, 0, 0, 0, 0, 0, 0, 0x2E]) == "pickle/forbidden-opcode")
  }

  @Test func `Deep nesting costs no stack`() {
    let tuples = [0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: 1_000_000) + [0x2E]
    #expect(result(tuples) == "pickle/limit")
    let lists =
      [0x80, 2] + [UInt8](repeating: 0x5D, count: 1_000_000) + [UInt8](repeating: 0x61, count: 999_999) + [0x2E]
    #expect(result(lists) == "pickle/limit")
    #expect(result([0x80, 2] + [UInt8](repeating: 0x28, count: 1_000_000)) == "pickle/limit")
  }

  @Test func `A memo far away costs nothing`() {
    #expect(result([0x80, 2, 0x7D, 0x72, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E]) == nil)
    #expect(result([0x80, 2, 0x6A, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E]) == "pickle/malformed")
  }

  @Test func `Doubling sixty times costs nothing`() {
    var pickle: [UInt8] = [0x80, 2, 0x29, 0x71, 0]
    for _ in 0..<60 { pickle += [0x68, 0, 0x86, 0x71, 0] }
    #expect(result(pickle + [0x2E]) == "torch/unexpected-object")
  }

  @Test func `A list that holds itself is only a list`() {
    #expect(result([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E]) == "torch/unexpected-object")
  }

  @Test func `Too many instructions, long integers and endless strings are refused`() {
    var many: [UInt8] = [0x80, 2, 0x5D]
    for _ in 0..<600_000 { many += [0x4E, 0x61] }
    #expect(result(many + [0x2E]) == "pickle/limit")
    #expect(result([0x80, 2, 0x8A, 9] + [UInt8](repeating: 1, count: 9) + [0x2E]) == "pickle/limit")
    #expect(result([0x80, 2, 0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x2E]) == "pickle/truncated")
  }
}
