import Synchronization

import Glibc

/// Keeps the memory of tensors that are gone for those to come, so that a warm forward pass allocates nothing.
final class Pool: Sendable {
  private struct Free: @unchecked Sendable {
    var blocks: [Int: [UnsafeMutablePointer<Float>]] = [:]
  }

  private let free = Mutex(Free())
  /// Blocks that had to be asked of the system so far.
  let allocations = Atomic<Int>(0)
  static let alignment = 64
  private static let hugePage = 1 << 21

  /// Sizes are rounded up to four steps an octave: ragged batches find each other's blocks.
  private static func capacity(for count: Int) -> Int {
    let least = max(count, 256)
    let octave = 1 << (Int.bitWidth - 1 - (least - 1).leadingZeroBitCount)
    let step = max(octave / 4, 64)
    return (least + step - 1) / step * step
  }

  func take(_ count: Int) -> Block {
    let capacity = Self.capacity(for: count)
    let reused = free.withLock { $0.blocks[capacity]?.popLast().map { SendablePointer($0) } }
    return Block(base: reused?.pointer ?? allocate(capacity), capacity: capacity, owner: .pool(self))
  }

  func give(_ base: UnsafeMutablePointer<Float>, _ capacity: Int) {
    let pointer = SendablePointer(base)
    free.withLock { $0.blocks[capacity, default: []].append(pointer.pointer) }
  }

  private func allocate(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    allocations.add(1, ordering: .relaxed)
    let bytes = capacity * MemoryLayout<Float>.stride, isLarge = bytes >= Self.hugePage
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: isLarge ? Self.hugePage : Self.alignment)
    // Weights and activations are read from end to end: with pages of 4 KiB their addresses would take time to
    // translate.
    if isLarge { _ = madvise(memory, bytes, MADV_HUGEPAGE) }
    return memory.bindMemory(to: Float.self, capacity: capacity)
  }

  deinit {
    free.withLock { for pointer in $0.blocks.values.joined() { pointer.deallocate() } }
  }
}

private struct SendablePointer: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  init(_ pointer: UnsafeMutablePointer<Float>) { self.pointer = pointer }
}

/// A block of floats. The last tensor to let go returns it: reference counting is the memory planner.
///
/// Blocks cross threads only inside tensors that nobody writes; a writer first makes sure that it is the only owner.
final class Block: @unchecked Sendable {
  enum Owner {
    case pool(Pool)
    /// Memory that belongs to something else, such as a mapped file; never written.
    case borrowed(any AnyObject & Sendable)
    /// No memory at all.
    case shapeOnly
  }

  let base: UnsafeMutablePointer<Float>
  let capacity: Int
  private let owner: Owner

  init(base: UnsafeMutablePointer<Float>, capacity: Int, owner: Owner) {
    self.base = base
    self.capacity = capacity
    self.owner = owner
  }

  /// Whether there are no values, for those who only ask for shapes.
  var isShapeOnly: Bool { if case .shapeOnly = owner { true } else { false } }
  var isWritable: Bool { if case .pool = owner { true } else { false } }

  deinit {
    if case .pool(let pool) = owner { pool.give(base, capacity) }
  }
}
