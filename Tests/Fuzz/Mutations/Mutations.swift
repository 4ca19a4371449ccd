import Foundation
import FuzzParsers
import HubTransformer

/// `mutations PARSER CORPUS LAST COUNT SECONDS SEED`: feeds a parser with the files of a folder, then with COUNT
/// mutations of them, or as many as there is time for. No libFuzzer is needed: the traps of a debug build find what
/// they find.
///
/// Each input is in the file LAST before it is parsed, so that it is there if the process ends. Without arguments the
/// parsers are listed.
@main
struct Mutations {
  /// No honest parser takes ten seconds for one input.
  private static let longest: UInt32 = 10
  private static let mostBytes = 128 << 10

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard arguments.count == 6, let parser = Parser.all.first(where: { $0.name == arguments[1] }),
      let count = Int(arguments[4]), let seconds = Double(arguments[5]), let seed = UInt64(arguments[6])
    else { return print(Parser.all.map(\.name).joined(separator: "\n")) }
    let last = URL(fileURLWithPath: arguments[3]), corpus = URL(fileURLWithPath: arguments[2])
    let inputs = try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
      .sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }

    func feed(_ bytes: [UInt8]) throws {
      try Data(bytes).write(to: last)
      alarm(longest)
      _ = parser.feed(bytes, in: last.path + ".folder")
      alarm(0)
    }
    for input in inputs { try feed(input) }
    var mutator = Mutator(parser, inputs, seed: seed), made = 0
    let end = Date(timeIntervalSinceNow: seconds)
    while made < count, Date() < end {
      let input = mutator.next()
      if input.count <= mostBytes { try feed(input) }
      made += 1
    }
    print("\(parser.name): \(inputs.count) inputs and \(made) mutations of them")
    try? FileManager.default.removeItem(at: last)
    try? FileManager.default.removeItem(atPath: last.path + ".folder")
  }
}

/// Makes inputs of others.
struct Mutator {
  private let parser: Parser
  private let inputs: [[UInt8]]
  private var numbers: SplitMix

  init(_ parser: Parser, _ inputs: [[UInt8]], seed: UInt64) {
    (self.parser, self.inputs, numbers) = (parser, inputs, SplitMix(seed: seed))
  }

  /// A few changes of one file of an input, most often with lengths and checksums made right again.
  mutating func next() -> [UInt8] {
    guard let old = inputs.randomElement(using: &numbers) else { return [] }
    guard var input = Input(old, for: parser), !input.files.isEmpty else { return changed(old) }
    let index = Int.random(in: input.files.indices, using: &numbers)
    for _ in 0..<Int.random(in: 1...4, using: &numbers) { input.files[index].bytes = changed(input.files[index].bytes) }
    if Int.random(in: 0..<8, using: &numbers) > 0 { input = parser.repair(input) }
    return input.encoded(for: parser)
  }

  private mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let place = Int.random(in: 0...bytes.count, using: &numbers)
    let end = min(bytes.count, place + Int.random(in: 1...16, using: &numbers))
    switch Int.random(in: 0..<7, using: &numbers) {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
    case 1 where place < bytes.count: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &numbers) ?? 0
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 4: bytes.removeSubrange(place...)
    case 5:
      let other = inputs.randomElement(using: &numbers) ?? []
      bytes.replaceSubrange(place..., with: other.dropFirst(Int.random(in: 0...other.count, using: &numbers)))
    default: bytes.replaceSubrange(place..<end, with: Array((parser.words.randomElement(using: &numbers) ?? "").utf8))
    }
    return bytes
  }
}
