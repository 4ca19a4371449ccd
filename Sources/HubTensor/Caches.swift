import CHubKernels
import Foundation

/// The data caches that one core may take to be its own, in bytes.
public struct Caches: Sendable, Equatable {
  /// The first level.
  public var first: Int
  /// The second level.
  public var second: Int

  public init(first: Int, second: Int) {
    self.first = first
    self.second = second
  }

  /// Those of this machine: as the system tells, else as the processor does, else what small processors have.
  public static let measured = Caches(
    first: ofSystem(level: 1) ?? ofProcessor(level: 1) ?? 32 << 10,
    second: ofSystem(level: 2) ?? ofProcessor(level: 2) ?? 256 << 10)

  /// From `/sys/devices/system/cpu/cpu0/cache`, a folder a cache. What several cores share is divided among them.
  private static func ofSystem(level: Int) -> Int? {
    let processor = "/sys/devices/system/cpu/cpu0"
    let threads = Processors.list(text(of: "\(processor)/topology/thread_siblings_list"))?.count ?? 1
    for index in 0..<16 {
      let folder = "\(processor)/cache/index\(index)"
      guard text(of: "\(folder)/level").flatMap({ Int($0) }) == level, text(of: "\(folder)/type") != "Instruction"
      else { continue }
      guard let size = text(of: "\(folder)/size"), size.hasSuffix("K"), let kilobytes = Int(size.dropLast()),
        (1...1 << 20).contains(kilobytes)
      else { return nil }
      let sharing = Processors.list(text(of: "\(folder)/shared_cpu_list"))?.count ?? 1
      return kilobytes << 10 / max(1, sharing / max(1, threads))
    }
    return nil
  }

  /// What shares a second-level cache is taken for the two threads of a core.
  private static func ofProcessor(level: Int) -> Int? {
    var threads = 1
    let bytes = hub_cache_bytes(Int32(level), &threads)
    return bytes > 0 ? bytes / max(1, threads / 2) : nil
  }

  private static func text(of path: String) -> String? {
    (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
