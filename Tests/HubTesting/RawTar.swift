/// A tar file written by hand, which can be what no honest program writes.
public enum RawTar {
  public struct Entry {
    public var name: String
    public var contents: [UInt8]
    /// `0` is a file, `5` a folder, `1` a hard and `2` a symbolic link.
    public var type: Character
    public var link: String

    public init(_ name: String, _ contents: [UInt8] = [], type: Character = "0", link: String = "") {
      (self.name, self.contents, self.type, self.link) = (name, contents, type, link)
    }
  }

  public static func bytes(_ entries: [Entry]) -> [UInt8] {
    entries.flatMap { header($0) + $0.contents + zeros((512 - $0.contents.count % 512) % 512) } + zeros(1024)
  }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  /// A long name is cut at a slash.
  private static func parts(_ name: String) -> (prefix: String, name: String) {
    let slash = name.utf8.count > 100 ? name.utf8.prefix(156).lastIndex(of: UInt8(ascii: "/")) : nil
    return slash.map { (String(name[..<$0]), String(name[name.utf8.index(after: $0)...])) } ?? ("", name)
  }

  private static func header(_ entry: Entry) -> [UInt8] {
    var block = zeros(512)
    func put(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    let size = String(entry.contents.count, radix: 8)
    let (prefix, name) = parts(entry.name)
    put(name, at: 0)
    put(prefix, at: 345)
    put("0000644", at: 100)
    put("0000000", at: 108)
    put("0000000", at: 116)
    put(String(repeating: "0", count: 11 - size.count) + size, at: 124)
    put("00000000000", at: 136)
    put("        ", at: 148)
    put(String(entry.type), at: 156)
    put(entry.link, at: 157)
    put("ustar\u{0}00", at: 257)
    let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
    return block
  }
}
