import HubWords

extension Parser {
  /// A zip file whose local headers say what its directory says.
  @Sendable static func zipped(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for start in bytes.indices.dropLast(45) where bytes[start..<start + 4].elementsEqual([0x50, 0x4B, 1, 2]) {
      let header = bytes[start + 42..<start + 46].reversed().reduce(0) { $0 << 8 | Int($1) }
      let nameSize = Int(bytes[start + 28]) | Int(bytes[start + 29]) << 8
      guard header + 30 + nameSize <= bytes.count, start + 46 + nameSize <= bytes.count,
        bytes[header..<header + 4].elementsEqual([0x50, 0x4B, 3, 4])
      else { continue }
      let fields = bytes[start + 6..<start + 30], name = bytes[start + 46..<start + 46 + nameSize]
      bytes.replaceSubrange(header + 4..<header + 28, with: fields)
      bytes.replaceSubrange(header + 30..<header + 30 + nameSize, with: name)
    }
    return bytes
  }

  /// A safetensors file whose length of the header is right again.
  @Sendable static func measured(_ bytes: [UInt8]) -> [UInt8] {
    guard
      let last = bytes.indices.dropFirst(8).dropLast(2).first(where: {
        bytes[$0] == 0x5D && bytes[$0 + 1] == 0x7D && bytes[$0 + 2] == 0x7D
      })
    else { return bytes }
    let data = last + 3
    let end = bytes[data...].firstIndex { $0 != 0x20 } ?? bytes.count
    return (0..<8).map { UInt8(truncatingIfNeeded: (end - 8) >> (8 * $0)) } + bytes[8...]
  }

  /// The same for all in a folder.
  @Sendable static func remeasured(_ input: Input) -> Input {
    var input = input
    for index in input.files.indices where input.files[index].name.hasSuffix(".safetensors") {
      input.files[index].bytes = measured(input.files[index].bytes)
    }
    return input
  }

  /// A tar file whose headers have the checksums that belong to them.
  @Sendable static func tarred(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for start in stride(from: 0, through: bytes.count - 512, by: 512)
    where bytes[start + 257..<start + 262].elementsEqual("ustar".utf8) {
      bytes.replaceSubrange(start + 148..<start + 156, with: repeatElement(0x20, count: 8))
      let sum = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
      bytes.replaceSubrange(
        start + 148..<start + 154, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8))
      bytes[start + 154] = 0
    }
    return bytes
  }

  /// A bundle whose manifest lists its files as they are.
  @Sendable static func listed(_ input: Input) -> Input {
    var input = remeasured(input)
    guard let index = input.files.firstIndex(where: { $0.name == "manifest.json" }),
      var members = (try? JSON(parsing: input.files[index].bytes))?.object,
      let files = members["files"]?.array
    else { return input }
    members["files"] = .array(
      files.map { file in
        guard var entry = file.object, let found = input.files.first(where: { $0.name == entry["path"]?.string }) else {
          return file
        }
        (entry["size"], entry["sha256"]) = (.integer(found.bytes.count), .string(Digest(of: found.bytes).hex))
        return .object(entry)
      })
    input.files[index].bytes = Array(JSON.object(members).text().utf8)
    return input
  }
}
