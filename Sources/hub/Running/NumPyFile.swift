/// NumPy's format for one array (NEP 1): a magic, the length of a header that is a Python literal, and the numbers.
enum NumPyFile {
  /// A matrix of 32-bit numbers, row by row, with `width` columns.
  static func bytes(_ rows: [[Float]], width: Int) -> [UInt8] {
    let literal = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(rows.count), \(width)), }"
    // The numbers begin at a multiple of 64.
    let padding = 63 - (10 + literal.utf8.count) % 64
    let header = literal + String(repeating: " ", count: padding) + "\n"
    let length = UInt16(header.utf8.count)
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
    bytes += header.utf8
    for row in rows { for value in row { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 } } }
    return bytes
  }
}
