import CHubKernels

// The peak of the machine: what the speed of kernels is measured against.

extension Kernels {
  /// Operations a second, a multiplication and an addition counting as two, of one thread whose numbers never leave
  /// the registers. The best of several tries, for other programs may be in the way.
  public func peak(_ precision: Precision, tries: Int = 20) -> Double {
    let gemm = precision.gemm(of: table)
    let rounds = 20_000
    let clock = ContinuousClock()
    let seconds = (0..<tries).map { _ in clock.measure { _ = gemm.peak(rounds) } / .seconds(1) }
    return Double(rounds * gemm.peak_operations) / (seconds.min() ?? .infinity)
  }
}

extension Engine {
  /// Bytes a second that all threads together read from memory that fits no cache.
  public func memoryBandwidth(megabytes: Int = 512, tries: Int = 5) -> Double {
    let width = 1024, rows = megabytes * 256
    let tensor = Context(self).zeros(rows, width)
    let kernels = kernels.table
    let clock = ContinuousClock()
    let seconds = (0..<tries).map { _ in
      clock.measure {
        workers.run(workers.count, scratch: width) { index, sums in
          let first = rows * index / workers.count, end = rows * (index + 1) / workers.count
          sums.update(repeating: 0, count: width)
          kernels.sum_rows(sums, tensor.base + first * width, nil, end - first, width)
        }
      } / .seconds(1)
    }
    return Double(tensor.count * MemoryLayout<Float>.stride) / (seconds.min() ?? .infinity)
  }
}
