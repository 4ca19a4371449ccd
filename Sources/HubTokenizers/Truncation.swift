/// How many tokens of each text are kept when there is room for a limited number.
enum Truncation {
  /// Shortens the longer text first, then both evenly, as `longest_first` does in Hugging Face's libraries.
  ///
  /// - Parameters:
  ///   - lengths: tokens of the first text and of the second, special ones not counted.
  ///   - room: tokens that fit.
  static func longestFirst(_ lengths: (Int, Int), room: Int) -> (Int, Int) {
    guard lengths.0 + lengths.1 > room else { return lengths }
    let shorter = min(lengths.0, lengths.1)
    var kept = (shorter, shorter > room ? shorter : max(shorter, room - shorter))
    if kept.0 + kept.1 > room { kept = (room / 2, room / 2 + room % 2) }
    return lengths.0 > lengths.1 ? (kept.1, kept.0) : kept
  }

  /// The windows of `length` tokens over `count` tokens, each beginning `overlap` before the last one's end.
  ///
  /// - Precondition: `overlap` is smaller than `length`, or `length` is 0.
  static func windows(_ count: Int, length: Int, overlap: Int) -> [Range<Int>] {
    guard count > length, length > 0 else { return [0..<min(count, length)] }
    var windows: [Range<Int>] = []
    var start = 0
    repeat {
      windows.append(start..<min(start + length, count))
      start += max(length - overlap, 1)
    } while windows.last?.upperBound != count
    return windows
  }
}
