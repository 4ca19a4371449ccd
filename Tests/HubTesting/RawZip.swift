/// A zip file written by hand: stored entries, one after another.
public enum RawZip {
  public static func bytes(_ entries: [(name: String, contents: [UInt8])]) -> [UInt8] {
    var body: [UInt8] = [], directory: [UInt8] = []
    for (name, contents) in entries {
      let offset = body.count
      // Version, flags, method, time and date, checksum, sizes, lengths of the name and of extra fields.
      let common =
        short(20) + short(0) + short(0) + long(0x0021_0000) + long(checksum(contents)) + long(contents.count)
        + long(contents.count) + short(name.utf8.count) + short(0)
      body += Array("PK\u{3}\u{4}".utf8) + common + Array(name.utf8) + contents
      directory +=
        Array("PK\u{1}\u{2}".utf8) + short(0x0314) + common + short(0) + short(0) + short(0) + long(0o100644 << 16)
        + long(offset) + Array(name.utf8)
    }
    let count = short(entries.count)
    return body + directory + Array("PK\u{5}\u{6}".utf8) + long(0) + count + count + long(directory.count)
      + long(body.count) + short(0)
  }

  private static func short(_ number: Int) -> [UInt8] { [UInt8(number & 255), UInt8(number >> 8 & 255)] }
  private static func long(_ number: Int) -> [UInt8] { short(number & 0xFFFF) + short(number >> 16) }

  /// CRC-32, bit by bit.
  private static func checksum(_ bytes: [UInt8]) -> Int {
    let remainder = bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return Int(~remainder)
  }
}
