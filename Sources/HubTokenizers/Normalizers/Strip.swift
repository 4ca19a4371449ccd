import HubWords

/// Takes away the white space that a text begins or ends with.
struct Strip: Normalizer {
  var left = true
  var right = true

  func normalize(_ text: AlignedText) -> AlignedText {
    let bytes = text.bytes
    var (start, end) = (0, bytes.count)
    while right, start < end, bytes.scalar(at: bytes.scalarStart(before: end)).scalar.isSpace {
      end = bytes.scalarStart(before: end)
    }
    while left, start < end, bytes.scalar(at: start).scalar.isSpace { start = bytes.scalar(at: start).end }
    return start == 0 && end == bytes.count ? text : text[start..<end]
  }
}

extension Strip {
  /// Reads `normalizer` of tokenizer.json.
  init(_ json: JSONObject) throws {
    self.init(left: try json.optionalBool("strip_left") ?? false, right: try json.optionalBool("strip_right") ?? false)
  }
}
