import ArgumentParser
import HubTokenizers
import HubWords

struct TokenizerTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Make a vocabulary of word pieces of text files.",
    discussion: """
      hub tokenizer train de.txt.gz sw.txt.gz -o my-tokenizer --vocabulary 12000
      hub tokenizer train *.txt.gz -o my-tokenizer --vocabulary 12000 --alphabet 3000 --balance 0.5

      Files are UTF-8, one text a line, plain or in gzip. The folder gets tokenizer.json, tokenizer_config.json and vocab.txt, \
      as Hugging Face's libraries read them. Texts are cut as BERT's are; case and accents stay, unless they are to go. \
      With --balance below 1, files with little text count for more: with 0, all count the same.
      """)

  @Argument(help: ArgumentHelp("The texts.", valueName: "file"), completion: .file()) var files: [String]
  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "dir"), completion: .directory)
  var output: String
  @Option(help: ArgumentHelp("Pieces, special tokens included.", valueName: "n")) var vocabulary: Int
  @Flag(help: "Lower-case texts.") var lowercase = false
  @Flag(help: "Drop accents, and other non-spacing marks.") var stripAccents = false
  @Option(help: ArgumentHelp("How often a pair of pieces occurs, at least, to become one.", valueName: "n"))
  var minimumFrequency = 2
  @Option(help: ArgumentHelp("Keep so many characters, the most frequent; otherwise all.", valueName: "n"))
  var alphabet: Int?
  @Option(help: ArgumentHelp("The power, from 0 to 1, of the files' shares of the text.", valueName: "a"))
  var balance = 1.0
  @Option(help: ArgumentHelp("Tokens of a text that the model will take.", valueName: "n")) var maximumLength = 512
  @Option(help: ArgumentHelp("Characters of a word, beyond which it is unknown.", valueName: "n")) var longestWord = 100
  @Flag(help: "Print JSON of the schema hub.tokenizer.train/1.") var json = false

  func run() throws {
    var options = WordPieceOptions(vocabularySize: vocabulary)
    (options.lowercases, options.stripsAccents) = (lowercase, stripAccents)
    options.minimumFrequency = minimumFrequency
    options.alphabetLimit = alphabet
    options.balance = balance
    options.maximumLength = maximumLength
    options.longestWord = longestWord
    let made = try WordPieceTraining.run(files: files, to: output, options: options, observe: show)
    try json ? put(made) : table(made)
    if made.vocabulary.count < vocabulary {
      Console.say(
        "hub: note: no pair of pieces is left that occurs \(minimumFrequency) times: the vocabulary is smaller")
    }
    if made.leftOut > 0 {
      Console.say("hub: note: \(made.leftOut) characters are not in the alphabet: words with them are unknown")
    }
    let overlong = made.files.reduce(0) { $0 + $1.overlongWords }
    if overlong > 0 {
      Console.say(
        "hub: note: \(overlong) words are longer than \(longestWord) characters, and unknown: see --longest-word")
    }
  }

  private func show(_ stage: WordPieceTraining.Stage) {
    switch stage {
    case .reading(let file): Progress.shared.update("reading \(Console.escaped(file))")
    case .joining(let pieces) where pieces.isMultiple(of: 100):
      Progress.shared.update("\(pieces) of \(vocabulary) pieces")
    case .joining: break
    }
  }

  private func put(_ made: WordPieceTraining) throws {
    let files = made.files.map { file -> JSON in
      [
        "file": .string(file.path), "lines": .integer(file.lines), "words": .integer(file.words),
        "overlong_words": .integer(file.overlongWords), "share": .number(file.share),
      ]
    }
    try Console.put(
      json: [
        "folder": .string(output), "vocabulary": .integer(made.vocabulary.count), "alphabet": .integer(made.alphabet),
        "left_out": .integer(made.leftOut), "files": .array(files),
      ], schema: "hub.tokenizer.train/1")
  }

  private func table(_ made: WordPieceTraining) throws {
    var table = Table(["FILE", "LINES", "WORDS", "SHARE"])
    for file in made.files {
      table.add([
        file.path, "\(file.lines)", "\(file.words)", "\((1000 * file.share).rounded() / 10) %",
      ])
    }
    try Console.put(table.text())
    try Console.put("\(Console.escaped(output)): \(made.vocabulary.count) pieces, \(made.alphabet) characters")
  }
}
