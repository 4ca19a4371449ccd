/// How the blocks of GGUF's types become numbers, as `ggml` defines them: each block has one or two scales of 16 bits,
/// some blocks of 256 also a small scale for every 16 or 32 elements.
enum GGUFBlocks {
  /// Writes the numbers of one block.
  ///
  /// - Parameters:
  ///   - block: ``GGUFType/blockBytes`` bytes
  ///   - output: room for ``GGUFType/blockElements`` numbers
  static func expand(_ type: GGUFType, _ block: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>)
  {
    switch type {
    case .float32: output[0] = Float(bitPattern: UInt32(littleEndian: block.loadUnaligned(as: UInt32.self)))
    case .float16: output[0] = half(block, 0)
    case .bfloat16:
      output[0] = Float(bitPattern: UInt32(UInt16(littleEndian: block.loadUnaligned(as: UInt16.self))) << 16)
    case .q8_0:
      let scale = half(block, 0)
      for i in 0..<32 { output[i] = Float(Int8(bitPattern: block[2 + i])) * scale }
    case .q4_0: fourBits(block, at: 2, into: output, scale: half(block, 0), offset: 8, add: 0)
    case .q4_1: fourBits(block, at: 4, into: output, scale: half(block, 0), offset: 0, add: half(block, 2))
    case .q5_0: fiveBits(block, at: 2, into: output, scale: half(block, 0), offset: 16, add: 0)
    case .q5_1: fiveBits(block, at: 4, into: output, scale: half(block, 0), offset: 0, add: half(block, 2))
    case .q4_K: fourBitsK(block, into: output)
    case .q5_K: fiveBitsK(block, into: output)
    case .q6_K: sixBitsK(block, into: output)
    }
  }

  private static func half(_ block: UnsafeRawBufferPointer, _ offset: Int) -> Float {
    Float(Float16(bitPattern: UInt16(littleEndian: block.loadUnaligned(fromByteOffset: offset, as: UInt16.self))))
  }

  /// The low halves of 16 bytes, then the high ones.
  private static func fourBits(
    _ block: UnsafeRawBufferPointer, at start: Int, into output: UnsafeMutableBufferPointer<Float>, scale: Float,
    offset: Int, add: Float
  ) {
    for i in 0..<16 {
      let byte = Int(block[start + i])
      output[i] = Float((byte & 15) - offset) * scale + add
      output[i + 16] = Float((byte >> 4) - offset) * scale + add
    }
  }

  /// The same with the fifth bits of all 32 elements in four bytes before.
  private static func fiveBits(
    _ block: UnsafeRawBufferPointer, at start: Int, into output: UnsafeMutableBufferPointer<Float>, scale: Float,
    offset: Int, add: Float
  ) {
    let high = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    for i in 0..<16 {
      let byte = Int(block[start + 4 + i])
      let (first, second) = (Int(high >> UInt32(i) & 1) << 4, Int(high >> UInt32(i + 16) & 1) << 4)
      output[i] = Float((byte & 15 | first) - offset) * scale + add
      output[i + 16] = Float((byte >> 4 | second) - offset) * scale + add
    }
  }

  /// The scale and the minimum of 32 elements, six bits each, packed into twelve bytes.
  private static func scales(_ block: UnsafeRawBufferPointer, _ index: Int) -> (scale: Float, minimum: Float) {
    let bytes = UnsafeRawBufferPointer(rebasing: block[4..<16])
    if index < 4 { return (Float(bytes[index] & 63), Float(bytes[index + 4] & 63)) }
    return (
      Float(bytes[index + 4] & 15 | (bytes[index - 4] >> 6) << 4),
      Float(bytes[index + 4] >> 4 | (bytes[index] >> 6) << 4)
    )
  }

  private static func fourBitsK(_ block: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) {
    let (scale, minimum) = (half(block, 0), half(block, 2))
    for part in 0..<8 {
      let own = scales(block, part)
      let (factor, less) = (scale * own.scale, minimum * own.minimum)
      for i in 0..<32 {
        let byte = block[16 + part / 2 * 32 + i]
        output[part * 32 + i] = factor * Float(part % 2 == 0 ? byte & 15 : byte >> 4) - less
      }
    }
  }

  private static func fiveBitsK(_ block: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) {
    let (scale, minimum) = (half(block, 0), half(block, 2))
    for part in 0..<8 {
      let own = scales(block, part)
      let (factor, less) = (scale * own.scale, minimum * own.minimum)
      for i in 0..<32 {
        let byte = block[48 + part / 2 * 32 + i], high = block[16 + i] >> UInt8(part) & 1
        output[part * 32 + i] = factor * Float((part % 2 == 0 ? byte & 15 : byte >> 4) | high << 4) - less
      }
    }
  }

  private static func sixBitsK(_ block: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) {
    let scale = half(block, 208)
    for part in 0..<8 {
      let (half, quarter) = (part / 4, part % 4)
      for i in 0..<32 {
        let low = block[half * 64 + quarter % 2 * 32 + i], high = block[128 + half * 32 + i] >> UInt8(quarter * 2) & 3
        let value = Int((quarter < 2 ? low & 15 : low >> 4) | high << 4) - 32
        let own = Int8(bitPattern: block[192 + half * 8 + quarter * 2 + i / 16])
        output[part * 32 + i] = scale * Float(own) * Float(value)
      }
    }
  }
}
