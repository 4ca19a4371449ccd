import CLibFuzzer
import Foundation
import FuzzParsers
import HubTransformer

// `fuzz --parser=NAME [LIBFUZZER'S OPTIONS] [CORPUS…]`: libFuzzer calls what is here, and feeds one parser with what it
// makes of a corpus. A trap, a read out of bounds, a length that is believed and an input that takes too long end the
// process, and leave the input in a file. `Tests/Fuzz/fuzz.py` builds it, and runs it for all parsers.

/// libFuzzer passes over options with two dashes, and gives them to its children.
private let parser = Parser.all.first { CommandLine.arguments.contains("--parser=" + $0.name) }
/// Where folders lie while they are parsed.
private let folder = "/dev/shm/dovetail-fuzz-\(getpid())"
/// No honest parser takes ten seconds, a gibibyte in all or 128 MiB at once for 128 KiB, AddressSanitizer included.
private let limits = ["-max_len=131072", "-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=128"]
/// Kept, because libFuzzer keeps pointers into it.
nonisolated(unsafe) private var allArguments: [UnsafeMutablePointer<CChar>?] = []

/// Adds the limits and the words of the format to the arguments; without a parser, lists them.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>
) -> CInt {
  guard let parser else {
    print(Parser.all.map(\.name).joined(separator: "\n"))
    exit(0)
  }
  let dictionary = folder + ".words"
  let words = parser.words.map { "\"" + $0.utf8.map { String(format: "\\x%02x", $0) }.joined() + "\"\n" }
  guard (try? Data(words.joined().utf8).write(to: URL(fileURLWithPath: dictionary))) != nil else {
    fatalError("cannot write \(dictionary)")
  }
  atexit { for path in [folder, folder + ".words"] { try? FileManager.default.removeItem(atPath: path) } }
  let added = limits + (words.isEmpty ? [] : ["-dict=" + dictionary])
  allArguments =
    (CommandLine.arguments.prefix(1) + added + CommandLine.arguments.dropFirst()).map { strdup($0) } + [nil]
  count.pointee = CInt(allArguments.count - 1)
  arguments.pointee = allArguments.withUnsafeMutableBufferPointer(\.baseAddress)
  return 0
}

/// Parses an input; anything thrown that is not a typed failure is a defect.
@_cdecl("LLVMFuzzerTestOneInput")
public func parse(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let parser else { return -1 }
  return parser.feed(Array(UnsafeBufferPointer(start: data, count: size)), in: folder) ? 0 : -1
}

/// libFuzzer's own mutations, of one file of a folder, most often with lengths and checksums made right again.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ limit: Int, _ seed: UInt32) -> Int {
  let old = Array(UnsafeBufferPointer(start: data, count: size))
  guard let parser, var input = Input(old, for: parser), !input.files.isEmpty else {
    return LLVMFuzzerMutate(data, size, limit)
  }
  var numbers = SplitMix(seed: UInt64(seed))
  let index = Int.random(in: input.files.indices, using: &numbers)
  let bytes = input.files[index].bytes
  input.files[index].bytes = Array(unsafeUninitializedCapacity: bytes.count + max(0, limit - size)) { buffer, count in
    count = buffer.update(fromContentsOf: bytes)
    count = LLVMFuzzerMutate(buffer.baseAddress, count, buffer.count)
  }
  if Int.random(in: 0..<8, using: &numbers) > 0 { input = parser.repair(input) }
  let new = input.encoded(for: parser)
  guard new.count <= limit else { return size }
  data.update(from: new, count: new.count)
  return new.count
}
