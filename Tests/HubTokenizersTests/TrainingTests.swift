import HubTesting
import HubWords
import Testing

@testable import HubTokenizers

@Suite struct TrainingTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  static let texts = ["a", "b"].map { Files.fixtures + "training/\($0).txt" }

  /// What is learned from texts, a line each in a file of its own.
  func train(_ texts: [String], _ options: WordPieceOptions) throws -> WordPieceTraining {
    let files = try texts.enumerated().map { try scratch.file("\($0).txt", Array(($1 + "\n").utf8)) }
    return try WordPieceTraining.run(
      files: files, to: scratch("made-\(UInt64.random(in: 0 ... .max))"), options: options)
  }

  func refusal(_ texts: [[UInt8]], _ options: WordPieceOptions = WordPieceOptions(vocabularySize: 100)) -> Failure? {
    #expect(throws: Failure.self) {
      let files = try texts.enumerated().map { try scratch.file("\($0).txt", $1) }
      _ = try WordPieceTraining.run(files: files, to: scratch("refused"), options: options)
    }
  }

  // MARK: - Values

  @Test func `the pieces and their ids are those of Hugging Face's trainer`() throws {
    let cases = try #require(try JSON(parsing: read(Files.fixtures + "training/expected.json")).array)
    #expect(cases.count == 7)
    for (index, expected) in cases.enumerated() {
      let json = try JSONObject(expected)
      var options = WordPieceOptions(vocabularySize: try json.integer("vocabulary"))
      options.minimumFrequency = try json.optionalInteger("minimumFrequency") ?? 2
      options.lowercases = try json.optionalBool("lowercase") ?? false
      options.stripsAccents = try json.optionalBool("stripAccents") ?? false
      options.alphabetLimit = try json.optionalInteger("alphabet")
      let made = try WordPieceTraining.run(files: Self.texts, to: scratch("made-\(index)"), options: options)
      let pieces = try #require(try json.optionalStrings("pieces"))
      #expect(made.vocabulary.map { Array($0.utf8) } == pieces.map { Array($0.utf8) }, "case \(index)")
    }
  }

  /// ab occurs 5 times, bc 4 times at first; once ab is joined, abc is, and "##bc" would occur but once.
  @Test func `the most frequent pair is joined first and the rest is counted anew`() throws {
    var options = WordPieceOptions(vocabularySize: 100)
    options.minimumFrequency = 3
    let made = try train(["abc abc abc ab ab xbc"], options)
    #expect(Array(made.vocabulary.dropFirst(5)) == ["a", "b", "c", "x", "##b", "##c", "ab", "abc"])
  }

  /// "aaaaa" is a ##aa ##aa after the first step; of its pairs, which occur as often, (a, ##aa) has the lower first id.
  @Test func `a pair that overlaps itself is joined from the left`() throws {
    var options = WordPieceOptions(vocabularySize: 100)
    options.minimumFrequency = 4
    let made = try train(["aaaaa aaaaa aaaaa aaaaa"], options)
    #expect(Array(made.vocabulary.dropFirst(5)) == ["a", "##a", "##aa", "aaa", "aaaaa"])
  }

  // MARK: - Options

  @Test func `rare characters are left out and their words unknown`() throws {
    var options = WordPieceOptions(vocabularySize: 100)
    options.alphabetLimit = 2
    let made = try train(["ab ab ab ba ac"], options)
    #expect(made.alphabet == 2 && made.leftOut == 1)
    #expect(!made.vocabulary.contains { $0.contains("c") })
  }

  /// The shares 0.8 and 0.2 to the power of a half, √0.8 : √0.2 = 2 : 1.
  @Test func `files with little text count for more with a power below one`() throws {
    let texts = [String(repeating: "ab ", count: 80), String(repeating: "cd ", count: 20)]
    for (balance, shares) in [(1.0, [0.8, 0.2]), (0.5, [2.0 / 3, 1.0 / 3]), (0, [0.5, 0.5])] {
      var options = WordPieceOptions(vocabularySize: 100)
      options.balance = balance
      for (file, share) in zip(try train(texts, options).files, shares) { #expect(abs(file.share - share) < 1e-4) }
    }
  }

  /// Of 8 + 4 words the second file has a third. As halves, its words weigh 1.5 times as much: "cd" goes before "ab"
  /// with 5 of 8 as 5 · 0.75 < 4 · 1.5, and where all words count once, "ab" does.
  @Test func `balance decides which pieces there are room for`() throws {
    let texts = ["ab ab ab ab ab a a a", "cd cd cd cd"]
    for (balance, piece) in [(1.0, "ab"), (0, "cd")] {
      var options = WordPieceOptions(vocabularySize: 5 + 6 + 1)
      options.balance = balance
      #expect(try train(texts, options).vocabulary.last == piece)
    }
  }

  @Test func `words that are too long are counted and not learned from`() throws {
    var options = WordPieceOptions(vocabularySize: 100)
    options.longestWord = 3
    let made = try train(["abc abc äöü äöü dddd dddd"], options)
    #expect(made.files[0].overlongWords == 2 && made.files[0].words == 4)
    #expect(!made.vocabulary.contains("d"))
    #expect(made.vocabulary.contains("äöü"))
  }

  // MARK: - Files

  @Test func `the same texts make the same bytes`() throws {
    var options = WordPieceOptions(vocabularySize: 640)
    options.balance = 0.3
    for name in ["one", "two"] { _ = try WordPieceTraining.run(files: Self.texts, to: scratch(name), options: options) }
    for file in ["tokenizer.json", "tokenizer_config.json", "vocab.txt"] {
      #expect(try read(scratch("one/" + file)) == read(scratch("two/" + file)))
    }
  }

  @Test func `every text is cut without unknown words and comes back`() throws {
    var options = WordPieceOptions(vocabularySize: 700)
    options.longestWord = 200
    _ = try WordPieceTraining.run(files: Self.texts, to: scratch("made"), options: options)
    let tokenizer = try TokenizerFile.load(folder: scratch("made"))
    #expect(tokenizer.specialIDs == SpecialIDs(pad: 0, cls: 2, sep: 3, mask: 4, unk: 1))
    for file in Self.texts {
      for line in String(decoding: try read(file), as: UTF8.self).split(separator: "\n") {
        let encoding = try tokenizer.encode(String(line))
        #expect(!encoding.ids.contains(1), "\(line)")
        func bare(_ text: some StringProtocol) -> [UInt8] { text.utf8.filter { $0 != 0x20 } }
        #expect(bare(tokenizer.decode(encoding.ids)) == bare(line))
      }
    }
  }

  @Test func `vocab.txt makes the same ids as tokenizer.json`() throws {
    for lowercases in [false, true] {
      var options = WordPieceOptions(vocabularySize: 640)
      (options.lowercases, options.stripsAccents) = (lowercases, lowercases)
      let folder = scratch("made-\(lowercases)")
      _ = try WordPieceTraining.run(files: Self.texts, to: folder, options: options)
      let one = try TokenizerFile.load(tokenizerJSON: folder + "/tokenizer.json")
      let other = try TokenizerFile.load(vocabulary: folder + "/vocab.txt")
      for text in ["İstanbul'da Élan, ÉLAN!", "河流 und Flüsse", "e\u{301}"] {
        #expect(try one.encode(text, pair: "und").ids == other.encode(text, pair: "und").ids)
      }
    }
  }

  // MARK: - Refusals

  @Test(
    arguments: [
      ([], "no words"), (Array(" \n\t\n".utf8), "no words"), ([0x61, 0x0A, 0xFF, 0xFE], "not UTF-8"),
      ([0x61, 0, 0x62, 0], "zero bytes"), ([0xFF, 0xFE, 0x61, 0], "UTF-16"), ([0x50, 0x4B, 3, 4], "zip"),
    ] as [([UInt8], String)])
  func `what is no text is refused with its file`(_ bytes: [UInt8], _ message: String) throws {
    let failure = try #require(refusal([Array("fine\n".utf8), bytes]))
    #expect(failure.message.contains(message))
    #expect(failure.subject?.contains("1.txt") == true)
    #expect(!FileBytes.exists(scratch("refused")))
  }

  @Test func `a line that is no text is named`() throws {
    #expect(refusal([[0x61, 0x0A, 0x62, 0x0A, 0xC3, 0x0A]])?.subject?.hasSuffix("0.txt: line 3") == true)
  }

  @Test func `a vocabulary without room for its characters is refused`() throws {
    let failure = try #require(refusal([Array("abc".utf8)], WordPieceOptions(vocabularySize: 9)))
    #expect(failure.code == .unsupportedTraining)
    #expect(failure.message.contains("10 pieces are needed"))
    #expect(try train(["abc"], WordPieceOptions(vocabularySize: 10)).vocabulary.count == 10)
  }

  @Test func `options out of range are refused`() {
    func refused(_ change: (inout WordPieceOptions) -> Void) {
      var options = WordPieceOptions(vocabularySize: 100)
      change(&options)
      #expect(refusal([Array("abc".utf8)], options)?.code == .unsupportedTraining)
    }
    refused { $0.vocabularySize = 0 }
    refused { $0.vocabularySize = .max }
    refused { $0.minimumFrequency = 0 }
    refused { $0.minimumFrequency = .max }
    refused { $0.alphabetLimit = 0 }
    refused { $0.balance = -0.1 }
    refused { $0.balance = 1.1 }
    refused { $0.balance = .nan }
    refused { $0.maximumLength = 2 }
    refused { $0.longestWord = 1001 }
  }

  @Test func `a folder with something in it stays as it is`() throws {
    let folder = scratch("there")
    _ = try WordPieceTraining.run(files: Self.texts, to: folder, options: WordPieceOptions(vocabularySize: 640))
    let before = try read(folder + "/vocab.txt")
    let failure = #expect(throws: Failure.self) {
      try WordPieceTraining.run(files: Self.texts, to: folder, options: WordPieceOptions(vocabularySize: 650))
    }
    #expect(failure?.code.name == "file/exists")
    #expect(try read(folder + "/vocab.txt") == before)
  }
}
