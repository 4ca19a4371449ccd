import Foundation
import HubBundle

/// Files by name; most parsers take a single one.
struct Input {
  var files: [(name: String, bytes: [UInt8])]

  /// A file, or a folder with everything in it.
  init(reading path: String) throws {
    let children = FileManager.default.subpaths(atPath: path)?.sorted() ?? []
    let names = children.isEmpty ? [""] : children
    files = names.compactMap { name in FileManager.default.contents(atPath: path + "/" + name).map { (name.isEmpty ? "input" : name, Array($0)) } }
    if children.isEmpty { files = [("input", Array(try Data(contentsOf: URL(fileURLWithPath: path))))] }
  }

  init(_ bytes: [UInt8]) { files = [("input", bytes)] }

  func write(to folder: String) throws {
    for (name, bytes) in files {
      let path = URL(fileURLWithPath: "\(folder)/\(name)")
      if !FileManager.default.fileExists(atPath: path.deletingLastPathComponent().path) {
        try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
      }
      try Data(bytes).write(to: path)
    }
  }
}

/// Something that reads what strangers wrote.
struct Parser {
  let name: String
  /// Files and folders below `Tests`, with the endings that belong here; or texts.
  var files: [(folder: String, endings: [String])] = []
  var texts: [String] = []
  /// Whether it takes bundles as folders, and not as archives.
  var unpacksBundles = false
  /// What its format is made of.
  var words = Parser.numbers
  /// Makes lengths and checksums right again, so that mutations come through to what lies behind them.
  var repair: @Sendable (Input) -> Input = { $0 }
  let parse: @Sendable (_ input: Input, _ folder: String) throws -> Void

  /// - Parameter folder: for what must be unpacked.
  func seeds(_ folder: String) throws -> [Input] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    let paths = files.flatMap { place in
      (FileManager.default.subpaths(atPath: "\(tests)/\(place.folder)") ?? []).sorted()
        .filter { name in place.endings.contains { name.hasSuffix($0) } }.map { "\(tests)/\(place.folder)/\($0)" }
    }
    let inputs = try paths.enumerated().map { try seed($1, unpackedInto: "\(folder)/\($0)") } + texts.map { Input(Array($0.utf8)) }
    guard !inputs.isEmpty else { throw Fault("there is nothing to begin with") }
    return inputs
  }

  /// A file; the folder around it, where the file says what the folder is; a bundle, unpacked.
  private func seed(_ path: String, unpackedInto folder: String) throws -> Input {
    if Self.marks.contains(where: { path.hasSuffix($0) }) { return try Input(reading: URL(fileURLWithPath: path).deletingLastPathComponent().path) }
    guard unpacksBundles else { return try Input(reading: path) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try Bundle.unpack(file: path, into: folder + "/bundle")
    return try Input(reading: folder + "/bundle")
  }

  /// Files that stand for their folders.
  private static let marks = ["/adapter_config.json", "/adapter_fusion_config.json", "/tokenizer.json", "/vocab.txt", "/config.json"]

  func mutated(_ seeds: [Input], _ mutator: inout Mutator) -> Input {
    var input = seeds[mutator.below(seeds.count)]
    let other = seeds[mutator.below(seeds.count)]
    let index = mutator.below(input.files.count)
    input.files[index].bytes = mutator.mutated(input.files[index].bytes, splicingWith: other.files[mutator.below(other.files.count)].bytes)
    return mutator.below(8) == 0 ? input : repair(input)
  }

  static let numbers = [
    "0", "-1", "1", "2", "3.5", "1e308", "1e999", "-0.0", "1e-320", "255", "256", "65536", "65537", "2147483647", "2147483648", "4294967296",
    "4611686018427387904", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "null", "true", "false", "[]",
    "{}", "\"\"", "\"x\"", "[1]", "[-1]", "[9223372036854775807]", "[4611686018427387904]", "{\"a\":1}", "NaN", "Infinity", "é", "\u{0}", "\u{202E}", "ß", "e\u{301}",
  ]
}
