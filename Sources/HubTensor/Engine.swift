import Foundation
import HubWords
import Synchronization

/// What forward passes share: kernels, threads and memory.
public final class Engine: Sendable {
  /// The loops of one instruction set.
  public let kernels: Kernels
  /// The threads that share the work.
  public let workers: Workers
  let pool = Pool()

  /// - Parameter threads: how many work at once, the calling one included
  public init(kernels: Kernels, threads: Int) {
    self.kernels = kernels
    workers = Workers(count: threads)
  }

  /// The kernels that `HUB_ISA` names, else the best; `threads`, else `HUB_THREADS`, else as many as there are physical cores.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownInstructionSet``.
  public convenience init(threads: Int? = nil) throws {
    let environment = ProcessInfo.processInfo.environment
    let wanted = threads ?? environment["HUB_THREADS"].flatMap(Int.init) ?? Processors.physicalCores
    self.init(kernels: try .named(environment["HUB_ISA"]), threads: min(max(1, wanted), 256))
  }

  /// Blocks of memory that operations had to ask of the system so far: a warm forward pass asks for none.
  public var allocations: Int { pool.allocations.load(ordering: .relaxed) }
}
