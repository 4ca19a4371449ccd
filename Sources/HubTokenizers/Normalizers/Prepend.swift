import HubWords

/// Puts a text before all others that are not empty.
struct Prepend: Normalizer {
  let content: [UInt8]

  func normalize(_ text: AlignedText) -> AlignedText {
    guard text.count > 0 else { return text }
    var result = AlignedText(minimumCapacity: text.count + content.count)
    for byte in content { result.append(byte, from: text.sources[0]) }
    result.append(text)
    return result
  }
}

extension Prepend {
  /// Reads `normalizer` of tokenizer.json.
  init(_ json: JSONObject) throws {
    content = Array(try json.string("prepend").utf8)
    guard content.count <= InputLimits.replacementBytes else {
      throw Failure(.excessiveTokenizer, "the text is longer than \(InputLimits.replacementBytes) bytes", at: json.path)
    }
  }
}
