import Foundation

/// Memory that a thread lends to kernels; grows and is kept.
final class ScratchMemory: @unchecked Sendable {
  private var base = UnsafeMutablePointer<Float>.allocate(capacity: 1)
  private var capacity = 0

  func memory(of count: Int) -> UnsafeMutablePointer<Float> {
    if count > capacity {
      base.deallocate()
      base = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: Pool.alignment)
        .bindMemory(to: Float.self, capacity: count)
      capacity = count
    }
    return base
  }

  deinit { base.deallocate() }

  private static let key = "dovetail.scratch"

  static var forThisThread: ScratchMemory {
    let storage = Thread.current.threadDictionary
    if let scratch = storage[key] as? ScratchMemory { return scratch }
    let scratch = ScratchMemory()
    storage[key] = scratch
    return scratch
  }
}
