import CHubKernels
import Foundation
public import HubWords
import Synchronization

extension Failure.Code {
  /// `HUB_THREADS` is not a number of threads.
  public static let threadCount = Self("engine/threads", .usage)
}

/// What forward passes share: kernels, threads and memory.
public final class Engine: Sendable {
  /// The loops of one instruction set.
  public let kernels: Kernels
  /// The threads that share the work.
  public let workers: Workers
  /// What products are taken in.
  let blocks: hub_blocks
  let pool = Pool()

  /// - Parameter threads: how many work at once, the calling one included
  public init(kernels: Kernels, threads: Int) {
    self.kernels = kernels
    let best = BlockModel(kernels).best
    blocks = hub_blocks(rows: best.rows, depth: best.depth)
    workers = Workers(count: threads)
  }

  /// The kernels that `HUB_ISA` names, else the best; `threads`, else `HUB_THREADS`, else as many as there are physical
  /// cores.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownInstructionSet`` or ``Failure/Code/threadCount``.
  public convenience init(threads: Int? = nil) throws {
    let environment = ProcessInfo.processInfo.environment
    let wanted = try threads ?? Self.threads(environment["HUB_THREADS"]) ?? Processors.physicalCores
    self.init(kernels: try .named(environment["HUB_ISA"]), threads: min(max(1, wanted), 256))
  }

  /// What `HUB_THREADS` says; `nil` if it is not set, or empty.
  private static func threads(_ text: String?) throws -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let count = Int(text), (1...256).contains(count) else {
      throw Failure(
        .threadCount, "expected a number of threads between 1 and 256, found \(text.debugDescription)",
        at: "HUB_THREADS")
    }
    return count
  }

  /// Blocks of memory that operations had to ask of the system so far: a warm forward pass asks for none.
  public var allocations: Int { pool.allocations.load(ordering: .relaxed) }
}
