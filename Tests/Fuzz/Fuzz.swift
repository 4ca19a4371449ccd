import ArgumentParser
import Foundation
import HubManifest
import HubTransformer

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Feeds one parser with what is nearly right, as fast as it can.
///
/// Any trap ends the process, as does an input that takes more than a minute; the input stays where the last line says.
/// A deterministic mutator and no coverage: the same seed gives the same inputs, with any compiler and any sanitizer.
@main struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Feed a parser with mutated inputs.",
    discussion: "Without a parser, lists them. To repeat an input: fuzz PARSER --seconds 0 INPUT")

  @Argument(help: "Which parser.") var parser: String?
  @Argument(help: "Files or folders to begin with, instead of the usual ones.") var corpus: [String] = []
  @Option(help: "How long.") var seconds = 2.0
  @Option(help: "Where the random numbers begin.") var seed: UInt64 = 1
  @Option(help: "How much memory the process may take.") var mebibytes = 192
  @Option(help: "How many seconds an input may take: a bomb takes its time in a debug build.") var patience = 1.0

  func run() throws {
    guard let parser else { return print(Parser.all.map(\.name).joined(separator: "\n")) }
    guard let parser = Parser.all.first(where: { $0.name == parser }) else { throw ValidationError("there is no parser called \(parser)") }
    setenv("TMPDIR", "/dev/shm", 0)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dovetail-fuzz-\(parser.name)-\(getpid())").path
    let seeds = try corpus.isEmpty ? parser.seeds(folder + ".seeds") : corpus.map(Input.init(reading:))
    var run = Run(parser: parser, folder: folder, mebibytes: mebibytes, patience: patience)
    for input in seeds { try run.feed(input) }
    var mutator = Mutator(numbers: SplitMix(seed: seed), words: parser.words.map { Array($0.utf8) })
    let end = Date(timeIntervalSinceNow: seconds)
    while Date() < end { try run.feed(parser.mutated(seeds, &mutator)) }
    for path in [folder, folder + ".seeds"] { try? FileManager.default.removeItem(atPath: path) }
    print(run.summary)
  }
}

/// Inputs given to a parser, one after another.
private struct Run {
  let parser: Parser
  /// Where the input lies while it is parsed, and afterwards if the process ends meanwhile.
  let folder: String
  let mebibytes: Int
  let patience: Double
  private var count = 0
  private var accepted = 0
  private var slowest = 0.0

  init(parser: Parser, folder: String, mebibytes: Int, patience: Double) {
    (self.parser, self.folder, self.mebibytes, self.patience) = (parser, folder, mebibytes, patience)
    FileHandle.standardError.write(Data("\(parser.name): if this ends early, the input is \(folder)\n".utf8))
  }

  mutating func feed(_ input: Input) throws {
    try input.write(to: folder)
    count += 1
    alarm(60)
    let start = Self.seconds
    do {
      try parser.parse(input, folder)
      accepted += 1
    } catch is Failure {}
    alarm(0)
    let time = Self.seconds - start
    slowest = max(slowest, time)
    guard time < patience else { throw Fault("took \(time) s") }
    guard Self.peak <= mebibytes else { throw Fault("took \(Self.peak) MiB") }
  }

  var summary: String {
    "\(parser.name): \(count) inputs, \(accepted) accepted, the slowest took \(Int(slowest * 1000)) ms, \(Self.peak) MiB"
  }

  /// Of the processor.
  private static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// Mebibytes.
  private static var peak: Int {
    var usage = rusage()
    #if canImport(Darwin)
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss) >> 20
    #else
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Int(usage.ru_maxrss) >> 10
    #endif
  }
}

/// What a parser did that none may do.
struct Fault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
