import HubWords

/// What BERT does to text before cutting it, in this order: clean, set ideographs apart, strip accents, lower-case.
struct BertNormalizer: Normalizer {
  /// Drops control characters and makes all white space U+0020.
  var cleansText = true
  /// Puts a space before and after each ideograph.
  var separatesIdeographs = true
  /// Decomposes (NFD) and drops non-spacing marks.
  var stripsAccents: Bool
  var lowercases: Bool

  func normalize(_ text: AlignedText) -> AlignedText {
    var pass = Pass(rules: self, capacity: text.count + text.count / 8)
    var index = 0
    while index < text.count {
      let source = text.sources[index]
      if text.bytes[index] < 0x80 {
        pass.clean(ascii: text.bytes[index], from: source)
        index += 1
      } else {
        let (scalar, end) = text.bytes.scalar(at: index)
        pass.clean(scalar, from: source)
        index = end
      }
    }
    pass.flushMarks()
    return pass.output
  }
}

extension BertNormalizer {
  /// Reads `normalizer` of tokenizer.json; without `strip_accents`, accents go when case goes.
  init(_ json: JSONObject) throws {
    let lowercases = try json.optionalBool("lowercase") ?? true
    self.init(
      cleansText: try json.optionalBool("clean_text") ?? true,
      separatesIdeographs: try json.optionalBool("handle_chinese_chars") ?? true,
      stripsAccents: try json.optionalBool("strip_accents") ?? lowercases,
      lowercases: lowercases)
  }

  /// One way through one text: each stage hands its scalars to the next.
  private struct Pass {
    let rules: BertNormalizer
    let decomposition = CanonicalDecomposition.shared
    var output: AlignedText
    var marks = MarkRun()

    init(rules: BertNormalizer, capacity: Int) {
      self.rules = rules
      output = AlignedText(minimumCapacity: capacity)
    }

    /// The way of `clean(_:from:)`, `decompose` and `finish` for ASCII, which neither decomposes nor combines.
    mutating func clean(ascii byte: UInt8, from source: Range<Int32>) {
      var byte = byte
      if byte < 0x20 || byte == 0x7F, rules.cleansText {
        guard byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
        byte = 0x20
      } else if rules.lowercases, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
        byte |= 0x20
      }
      if rules.stripsAccents { startRun(from: source) }
      output.append(byte, from: source)
    }

    mutating func clean(_ scalar: Unicode.Scalar, from source: Range<Int32>) {
      if rules.cleansText {
        if scalar.isDroppedByCleaning { return }
        if scalar.isSpace { return decompose(" ", from: source) }
      }
      guard rules.separatesIdeographs, scalar.isIdeograph else { return decompose(scalar, from: source) }
      decompose(" ", from: source)
      decompose(scalar, from: source)
      decompose(" ", from: source)
    }

    /// Decomposes one scalar. Marks wait for the end of their run, which is put into canonical order.
    mutating func decompose(_ scalar: Unicode.Scalar, from source: Range<Int32>) {
      guard rules.stripsAccents else { return finish(scalar, from: source) }
      var isFirst = true
      decomposition.forEachPart(of: scalar) { part in
        let order = part.combiningClass
        if order > 0 {
          marks.append(part, order: order, from: isFirst ? source : nil)
        } else {
          startRun(from: source)
          if !part.isAccent { finish(part, from: source) }
        }
        isFirst = false
      }
    }

    mutating func startRun(from source: Range<Int32>) {
      flushMarks()
      marks.baseSource = source
    }

    mutating func flushMarks() {
      guard !marks.isEmpty else { return }
      for (scalar, source) in marks.take() { finish(scalar, from: source) }
    }

    mutating func finish(_ scalar: Unicode.Scalar, from source: Range<Int32>) {
      guard rules.lowercases, scalar.properties.changesWhenLowercased else {
        return output.append(scalar, from: source)
      }
      for lower in scalar.properties.lowercaseMapping.unicodeScalars { output.append(lower, from: source) }
    }
  }

  /// Combining marks that follow one another, not yet in canonical order.
  ///
  /// Hugging Face gives places to marks after ordering them: each mark that stood in the text takes the next place of
  /// the run, whichever mark that was; each that came out of a decomposition shares the place taken last.
  private struct MarkRun {
    /// Where the character before the run comes from.
    var baseSource: Range<Int32> = 0..<0
    private var marks: [(scalar: Unicode.Scalar, order: UInt8, isFromText: Bool)] = []
    private var sources: [Range<Int32>] = []
    private var hasOthersThanAccents = false

    var isEmpty: Bool { marks.isEmpty }

    /// - Parameter source: the place in the text, `nil` for a further part of a decomposition.
    mutating func append(_ scalar: Unicode.Scalar, order: UInt8, from source: Range<Int32>?) {
      marks.append((scalar, order, source != nil))
      if let source { sources.append(source) }
      hasOthersThanAccents = hasOthersThanAccents || !scalar.isAccent
    }

    /// Empties the run; returns in order what is left of it without accents.
    mutating func take() -> [(Unicode.Scalar, Range<Int32>)] {
      defer {
        marks.removeAll(keepingCapacity: true)
        sources.removeAll(keepingCapacity: true)
        hasOthersThanAccents = false
      }
      guard hasOthersThanAccents else { return [] }
      var kept: [(Unicode.Scalar, Range<Int32>)] = []
      var next = sources.makeIterator()
      var source = baseSource
      let ordered = marks.enumerated().sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      for (_, mark) in ordered {
        if mark.isFromText, let place = next.next() { source = place }
        if !mark.scalar.isAccent { kept.append((mark.scalar, source)) }
      }
      return kept
    }
  }
}
