import HubAdapters
import HubWords
import HubTensor
import HubTokenizers

/// An input as the sequences that a head wants to see of it: one, or one for each choice or each window of a long text.
struct Question {
  let input: TextInput
  let encodings: [Encoding]
}

/// Makes answers of logits.
struct Answering {
  let head: any Head
  let tokenizer: any Tokenizer
  /// Rows of a prompt that stand before each sequence.
  let addedRows: Int

  /// - Parameters:
  ///   - hidden: the states of the questions' sequences, one behind the other
  func predictions(_ questions: [Question], _ hidden: HeadInput, in cx: Context) throws -> [Prediction] {
    let spans = head.answer == .tree ? questions.flatMap(\.encodings).map(\.wordSpans) : nil
    let words = spans?.map { $0.map { $0.tokens.lowerBound + addedRows..<$0.tokens.upperBound + addedRows } }
    let input = HeadInput(hidden.hidden, hidden.sequences, base: hidden.base, inverting: hidden.inverting, words: words)
    let logits = try head.logits(input, in: cx)
    if let spans, let parser = head as? DependencyHead {
      let trees = parser.trees(logits, words: spans.map(\.count))
      return questions.enumerated().map { index, question in .parsing(parse(question.input, spans[index], trees[index]))
      }
    }
    var sequence = 0
    return questions.enumerated().map { index, question in
      defer { sequence += question.encodings.count }
      return answer(
        question, index, logits,
        rows: question.encodings.indices.map { hidden.sequences[sequence + $0].lowerBound + addedRows })
    }
  }

  /// - Parameter rows: for heads of tokens, the row of the first token of each of the question's sequences
  private func answer(_ question: Question, _ index: Int, _ logits: Tensor, rows: [Int]) -> Prediction {
    switch head.answer {
    case .label:
      let row = logits.row(index)
      return row.count == 1
        ? .regression(value: row[0]) : .classification(Classification(labels: head.labels, logits: row))
    case .labels: return .multiLabel(MultiLabel(labels: head.labels, logits: logits.row(index)))
    case .choice: return .choice(Choice(logits: logits.row(index)))
    case .tokenLabel: return .tagging(tags(question.input, question.encodings[0]) { logits.row(rows[0] + $0) })
    case .span: return .spans(SpanSearch(question).spans { window, token in logits.row(rows[window] + token) })
    case .word: return .words(maskedWords(question.encodings[0]) { logits.row(rows[0] + $0) })
    case .tree: return .parsing([])
    }
  }

  /// The words of an input, each with the logits of its first piece.
  private func tags(_ input: TextInput, _ encoding: Encoding, _ logits: (Int) -> [Float]) -> [TaggedWord] {
    let spans = encoding.wordSpans
    return input.words(spans).map { text, index in
      guard let index else { return TaggedWord(text: text, label: nil, probability: nil, logits: nil) }
      let row = logits(spans[index].tokens.lowerBound), best = row.largestIndex
      return TaggedWord(text: text, label: head.labels[best], probability: row.softmax[best], logits: row)
    }
  }

  /// The words of an input in a tree of those that have tokens.
  private func parse(_ input: TextInput, _ spans: [WordSpan], _ tree: [Dependency]) -> [ParsedWord] {
    let words = input.words(spans)
    // Where each of the tree's words stands among all.
    let places = words.indices.filter { words[$0].span != nil }
    return words.map { text, index in
      guard let index else { return ParsedWord(text: text, head: nil, relation: nil) }
      let head = tree[index].head
      return ParsedWord(text: text, head: head == 0 ? 0 : places[head - 1] + 1, relation: tree[index].relation)
    }
  }

  private func maskedWords(_ encoding: Encoding, _ logits: (Int) -> [Float]) -> [MaskedWord] {
    (0..<encoding.count).filter { encoding.ids[$0] == tokenizer.specialIDs.mask }.map { token in
      let row = logits(token), shares = row.softmax
      let best = row.indices.sorted { row[$0] > row[$1] }.prefix(5)
      let range = encoding.offsets[token]
      return MaskedWord(
        scalars: Int(range.lowerBound)..<Int(range.upperBound),
        candidates: best.map { (tokenizer.decode([Int32($0)], skippingSpecialTokens: false), shares[$0]) })
    }
  }
}
