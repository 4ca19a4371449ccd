import CHubKernels
import Foundation
import Synchronization

/// Threads that stay ready to share the work of one operation.
///
/// Work is handed out in numbered pieces whose results do not depend on who computes them, so results are the same
/// for any number of threads.
public final class Workers: @unchecked Sendable {
  typealias Piece = (_ index: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void

  /// The threads that take part, the calling one included.
  public let count: Int

  /// One operation at a time is shared; a second caller meanwhile works alone.
  private let turn = Mutex(())
  private var piece: Piece?
  private var pieces = 0
  private var scratchSize = 0
  private var scratches: [ScratchMemory]
  private let next = Atomic<Int>(0)
  private let busy = Atomic<Int>(0)
  private let generation = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let condition = NSCondition()

  /// - Parameter count: threads in all; at least one.
  public init(count: Int) {
    self.count = max(1, count)
    scratches = (0..<self.count).map { _ in ScratchMemory() }
    for index in 1..<max(1, self.count) {
      let thread = Thread { [unowned(unsafe) self] in serve(index) }
      thread.stackSize = 1 << 20
      thread.start()
      busy.add(1, ordering: .relaxed)
    }
  }

  deinit {
    // A thread that has only just been made reports before it is told to end.
    awaitIdle()
    isStopping.store(true, ordering: .releasing)
    busy.store(count - 1, ordering: .releasing)
    wake()
    while busy.load(ordering: .acquiring) > 0 { hub_relax() }
  }

  /// Calls `piece` once for each index below `pieces`, from several threads, each with scratch memory of its own.
  func run(_ pieces: Int, scratch: Int = 0, _ piece: Piece) {
    let isShared =
      count > 1 && pieces > 1
      && turn.withLockIfAvailable { _ in
        withoutActuallyEscaping(piece) { share(pieces, scratch: scratch, $0) }
      } != nil
    if isShared { return }
    let own = ScratchMemory.forThisThread
    let memory = own.memory(of: scratch)
    for index in 0..<pieces { piece(index, memory) }
  }

  private func share(_ pieces: Int, scratch: Int, _ piece: @escaping Piece) {
    awaitIdle()
    self.piece = piece
    self.pieces = pieces
    scratchSize = scratch
    next.store(0, ordering: .relaxed)
    busy.store(count - 1, ordering: .releasing)
    wake()
    work(0)
    awaitIdle()
    self.piece = nil
  }

  private func awaitIdle() {
    var spins = 0
    while busy.load(ordering: .acquiring) > 0 {
      spins += 1
      if spins % 4096 == 0 { sched_yield() } else { hub_relax() }
    }
  }

  private func wake() {
    condition.lock()
    generation.add(1, ordering: .releasing)
    condition.broadcast()
    condition.unlock()
  }

  private func work(_ thread: Int) {
    guard let piece else { return }
    let memory = scratches[thread].memory(of: scratchSize)
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      if index >= pieces { return }
      piece(index, memory)
    }
  }

  private func serve(_ thread: Int) {
    var seen = 0
    busy.subtract(1, ordering: .releasing)
    while true {
      awaitWork(after: seen)
      seen = generation.load(ordering: .acquiring)
      if !isStopping.load(ordering: .acquiring) { work(thread) }
      let stops = isStopping.load(ordering: .acquiring)
      busy.subtract(1, ordering: .releasing)
      if stops { return }
    }
  }

  /// Watches for a while, for the next operation usually follows at once; then sleeps.
  private func awaitWork(after seen: Int) {
    for _ in 0..<20_000 {
      if generation.load(ordering: .acquiring) != seen { return }
      hub_relax()
    }
    condition.lock()
    while generation.load(ordering: .acquiring) == seen { condition.wait() }
    condition.unlock()
  }
}
