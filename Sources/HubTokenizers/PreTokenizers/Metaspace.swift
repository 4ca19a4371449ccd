import HubWords

/// SentencePiece's words: spaces are written as `▁`, and each begins a word.
struct Metaspace: PreTokenizer {
  /// Which texts get a `▁` before their first word if they begin with none.
  enum Prepending: String { case always, first, never }

  var replacement: Unicode.Scalar = "▁"
  var prepending = Prepending.always
  /// Cuts words; without, a text is one word.
  var cutsWords = true

  func split(_ text: inout AlignedText) -> [Range<Int>] {
    var written = AlignedText(minimumCapacity: text.count + text.count / 2)
    if let first = text.bytes.first, addsMark(before: text, first) {
      written.append(replacement, from: text.source(of: 0..<1))
    }
    var starts = [0]
    for (byte, source) in zip(text.bytes, text.sources) {
      if byte == UInt8(ascii: " ") {
        written.append(replacement, from: source)
      } else {
        written.append(byte, from: source)
      }
    }
    text = written
    let mark = Array(String(Character(replacement)).utf8)
    for place in text.bytes.indices.dropFirst() where cutsWords && text.bytes[place...].starts(with: mark) {
      starts.append(place)
    }
    return text.count == 0 ? [] : zip(starts, starts.dropFirst() + [text.count]).map { $0..<$1 }
  }

  private func addsMark(before text: AlignedText, _ first: UInt8) -> Bool {
    guard first != UInt8(ascii: " "), text.bytes.scalar(at: 0).scalar != replacement else { return false }
    switch prepending {
    case .always: return true
    case .first: return text.sources.first?.lowerBound == 0
    case .never: return false
    }
  }
}

extension Metaspace {
  /// Reads `pre_tokenizer` or `decoder` of tokenizer.json, older forms included, in which `add_prefix_space` says
  /// whether there is a mark before every text.
  init(_ json: JSONObject) throws {
    let mark = try json.optionalString("replacement") ?? "▁"
    guard let replacement = mark.unicodeScalars.first, mark.unicodeScalars.count == 1 else {
      throw Failure(.unexpectedJSON, "expected one character", at: json.path(to: "replacement"))
    }
    let usual: Prepending = try json.optionalBool("add_prefix_space") ?? true ? .always : .never
    let prepending = try json.optionalString("prepend_scheme").map { name in
      guard let prepending = Prepending(rawValue: name) else {
        throw Failure(.unexpectedJSON, "expected always, first or never", at: json.path(to: "prepend_scheme"))
      }
      return prepending
    }
    self.init(
      replacement: replacement, prepending: prepending ?? usual, cutsWords: try json.optionalBool("split") ?? true)
  }
}
