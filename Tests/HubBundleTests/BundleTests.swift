import HubArchive
import HubBundle
import HubWords
import HubTesting
import HubWeights
import Testing

@Suite struct BundleTests {
  @Test("Packing gives the same bytes each time, and one digest in all compressions", arguments: Compression.allCases)
  func packing(compression: Compression) throws {
    let scratch = try Scratch()
    let bundle = try Sample.builder().write(to: scratch("bundle"))
    #expect(try Bundle.pack(folder: scratch("bundle"), to: scratch("one"), compression: compression) == bundle.digest)
    try Bundle.pack(folder: scratch("bundle"), to: scratch("two"), compression: compression)
    #expect(try scratch.bytes("one") == scratch.bytes("two"))
    let unpacked = try Bundle.unpack(file: scratch("one"), into: scratch("again"))
    #expect(unpacked.digest == bundle.digest)
    try Bundle.pack(folder: scratch("again"), to: scratch("three"), compression: compression)
    #expect(try scratch.bytes("one") == scratch.bytes("three"))
    let described = try Bundle.describe(file: scratch("one"))
    #expect(described.digest == bundle.digest)
    #expect(described.manifest == bundle.manifest)
  }

  @Test func `A bundle has what its builder was given`() throws {
    let scratch = try Scratch()
    let bundle = try Sample.builder().write(to: scratch("bundle"))
    #expect(try bundle.config.string("non_linearity") == "relu")
    #expect(try bundle.weights.tensor("layers.0.attention.down.bias").floats() == [-0.5, 0.5])
    #expect(try bundle.head?.weights.tensor("linear.0.weight").shape == [3, 4])
    #expect(bundle.card == "# Sample\n")
    #expect(
      bundle.manifest.files.map(\.path) == [
        "CARD.md", "config.json", "head/config.json", "head/weights.safetensors", "weights.safetensors",
      ])
    #expect(code { _ = try Sample.builder().write(to: scratch("bundle")) } == "file/exists")
    #expect(scratch.listing.filter { $0.hasSuffix(".tmp") }.isEmpty)
  }

  @Test func `A manifest that someone else wrote keeps its bytes and its digest`() throws {
    let scratch = try Scratch()
    _ = try Sample.builder().write(to: scratch("bundle"))
    let manifest = try JSON(parsing: try scratch.bytes("bundle/manifest.json"))
    var members = try #require(manifest.object)
    members["future"] = ["x": 1]
    let bytes = Array(JSON.object(members).text().utf8)
    try scratch.file("bundle/manifest.json", bytes)
    let digest = try Bundle.pack(folder: scratch("bundle"), to: scratch("packed"))
    #expect(digest == Digest(of: bytes))
    #expect(try Bundle.unpack(file: scratch("packed"), into: scratch("again")).digest == digest)
    #expect(try scratch.bytes("again/manifest.json") == bytes)
  }

  @Test("Every truncation is refused and leaves nothing", arguments: Compression.allCases)
  func truncation(compression: Compression) throws {
    let scratch = try Scratch()
    let bytes = try Sample.packed(compression)
    for length in stride(from: 0, to: bytes.count, by: compression == .zstd ? 1 : 7) {
      try scratch.file("cut", Array(bytes.prefix(length)))
      #expect(throws: Failure.self, "\(length) of \(bytes.count)") {
        try Bundle.unpack(file: scratch("cut"), into: scratch("out"))
      }
    }
    #expect(scratch.listing == ["cut"])
  }

  @Test("A flipped bit is refused, or changes nothing", arguments: Compression.allCases)
  func flips(compression: Compression) throws {
    let scratch = try Scratch()
    let bytes = try Sample.packed(compression)
    let digest = try Sample.digest()
    for index in stride(from: 0, to: bytes.count, by: compression == .none ? 31 : 5) {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8(index % 8)
      try scratch.file("flipped", damaged)
      var found = digest
      let result = code { found = try Bundle.unpack(file: scratch("flipped"), into: scratch("out-\(index)")).digest }
      #expect(found == digest && result?.hasPrefix("not a Failure") != true, "bit \(index % 8) of byte \(index)")
    }
  }
}
