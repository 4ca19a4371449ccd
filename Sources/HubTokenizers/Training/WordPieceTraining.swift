import HubArchive
import HubWords

/// Makes a vocabulary of word pieces of text files, and the files of its tokenizer, as Hugging Face's
/// `WordPieceTrainer` does.
///
/// ```swift
/// let made = try WordPieceTraining.run(
///   files: ["de.txt.gz", "sw.txt.gz"], to: "my-tokenizer", options: WordPieceOptions(vocabularySize: 12_000))
/// let tokenizer = try TokenizerFile.load(folder: "my-tokenizer")
/// ```
///
/// The same files and options make the same bytes, everywhere.
public struct WordPieceTraining: Sendable {
  /// What a file brought.
  public struct File: Hashable, Sendable {
    /// The path, as it was given.
    public let path: String
    /// Lines, blank ones included.
    public let lines: Int
    /// Words, repeated ones counted each time.
    public let words: Int
    /// Words with more characters than allowed, which nothing was learned from.
    public let overlongWords: Int
    /// The share of all weight, from 0 to 1; that of all words, if files are not balanced.
    public let share: Double
  }

  /// How far it is.
  public enum Stage: Hashable, Sendable {
    /// A file is read.
    case reading(String)
    /// So many pieces are there.
    case joining(pieces: Int)
  }

  /// The pieces, by their ids.
  public let vocabulary: [String]
  /// Different characters in it.
  public let alphabet: Int
  /// Different characters of the files that are not.
  public let leftOut: Int
  /// The files that were read.
  public let files: [File]

  /// Reads the files, one text a line, out of gzip where they are in it, and writes `tokenizer.json`,
  /// `tokenizer_config.json` and `vocab.txt` to a folder, which must not be there or be empty, and appears when it is
  /// complete.
  ///
  /// - Throws: ``Failure``: ``Failure/Code/unsupportedTraining`` for options that make no sense, or no vocabulary of
  ///   this text; ``Failure/Code/malformedText``, at the file and the line, for what is no text;
  ///   `Failure.Code.existingFile` if there is something already.
  public static func run(
    files: [String], to folder: String, options: WordPieceOptions, observe: (Stage) -> Void = { _ in }
  ) throws -> WordPieceTraining {
    try options.check()
    guard !files.isEmpty else { throw Failure(.unsupportedTraining, "no texts to make a vocabulary of") }
    try StagedFolder.check(folder)
    var counts = WordCounts(options), lines: [Int] = []
    for file in files {
      observe(.reading(file))
      counts.beginText()
      lines.append(try read(file, into: &counts))
    }
    let made = try WordPieceVocabulary(counts, options: options) { observe(.joining(pieces: $0)) }
    let pieces = made.pieces.map { String(decoding: $0, as: UTF8.self) }
    let scratch = try StagedFolder(for: folder)
    for (name, content) in WordPieceFiles(pieces: pieces, options: options).all { try scratch.write(name, content) }
    try scratch.publish()
    let factors = counts.factors(balance: options.balance)
    let weights = zip(counts.texts, factors).map { Double($0.total) * Double($1) }, sum = weights.reduce(0, +)
    return WordPieceTraining(
      vocabulary: pieces, alphabet: made.alphabet, leftOut: made.leftOut,
      files: files.indices.map { index in
        let text = counts.texts[index]
        return File(
          path: files[index], lines: lines[index], words: text.total, overlongWords: text.overlong,
          share: weights[index] / sum)
      })
  }

  /// Counts the words of a file.
  ///
  /// - Returns: how many lines it has.
  private static func read(_ file: String, into counts: inout WordCounts) throws -> Int {
    let reader = LineReader(try InputBytes(path: file))
    var number = 0
    while let line = try reader.next() {
      number += 1
      try locating("\(file): line \(number)") { try counts.add(checked(line)) }
    }
    guard let text = counts.texts.last, text.total > 0 else {
      throw Failure(.malformedText, "the file has no words", at: file, hint: "leave it out")
    }
    return number
  }

  private static func checked(_ line: LineReader.Line) throws -> [UInt8] {
    guard case .bytes(let bytes) = line else {
      throw Failure(.malformedText, "the line has more than \(LineReader.limit >> 20) MB")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Failure(.malformedText, "the line is not UTF-8", hint: "iconv -f LATIN1 -t UTF-8 converts Latin-1")
    }
    guard !bytes.contains(0) else {
      throw Failure(
        .malformedText, "the line holds zero bytes: text in UTF-16, or no text", hint: "iconv -f UTF-16 -t UTF-8")
    }
    return bytes
  }
}
