import HubWords

/// Splits an input into lines without waiting for more than the next one.
public final class LineReader {
  /// One line.
  public enum Line {
    /// Its bytes, without the break.
    case bytes([UInt8])
    /// A line that is too long to be kept.
    case overlong
  }

  /// Bytes of a line.
  public static let limit = 64 << 20

  private let input: InputBytes
  private var buffer: [UInt8] = []
  private var start = 0
  /// Up to here there is no line break after `start`: no byte is looked at twice.
  private var searched = 0
  private var isAtEnd = false
  private var isFirst = true
  private var isSkipping = false

  public init(_ input: InputBytes) { self.input = input }

  /// Whether a whole line has been read already.
  public var hasLine: Bool { lineBreak() != nil }

  /// The next line; `nil` at the end.
  ///
  /// - Throws: ``Failure`` where the input cannot be read.
  public func next() throws -> Line? {
    while true {
      if let end = lineBreak() { return line(start..<end, next: end + 1) }
      if isAtEnd { return start < buffer.count || isSkipping ? line(start..<buffer.count, next: buffer.count) : nil }
      if buffer.count - start > Self.limit {
        isSkipping = true
        start = buffer.count
      }
      buffer.removeFirst(start)
      (start, searched) = (0, buffer.count)
      let bytes = try input.next()
      if bytes.isEmpty { isAtEnd = true } else { buffer += bytes }
    }
  }

  private func lineBreak() -> Int? {
    let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n"))
    searched = end ?? buffer.count
    return end
  }

  /// A line as other systems write it: without the carriage return at its end, and the mark that a file begins with.
  private func line(_ range: Range<Int>, next: Int) -> Line {
    defer { (start, searched, isFirst, isSkipping) = (next, next, false, false) }
    if isSkipping { return .overlong }
    var bytes = buffer[range]
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return .bytes(Array(isFirst && bytes.starts(with: JSON.byteOrderMark) ? bytes.dropFirst(3) : bytes))
  }
}
