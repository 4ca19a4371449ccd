import ArgumentParser
import Dovetail
import Foundation
import HubWords

struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed",
    abstract: "Make vectors of texts.",
    discussion: """
      hub embed --model minilm "a cat" "a dog"
      hub embed --model minilm --input sentences.txt --output npy > sentences.npy
      hub embed --model minilm --setup my-lora --pooling cls --normalize --input texts.jsonl

      Pooling, normalisation, the longest text and the prompt are those of a sentence-transformers folder; otherwise the \
      mean of the tokens' states. Input is read as by hub run. jsonl gives one object a line, with the id of its line; npy \
      gives one matrix of float32, and ends at a text that has no vector.
      """)

  /// What is printed.
  enum Output: String, CaseIterable, ExpressibleByArgument {
    case jsonl, npy
  }

  @OptionGroup var base: BaseOptions
  @Option(
    help: ArgumentHelp(
      "Adapters and how they are composed; without it, the base model alone.", valueName: "composition"))
  var setup: String?
  @Option(help: "How states become a vector: mean, cls, max, last, mean_sqrt_len or weighted_mean.")
  var pooling: Pooling?
  @Flag(inversion: .prefixedNo, help: "Divide vectors by their length.") var normalize: Bool?
  @Option(help: ArgumentHelp("A text that is put before each.", valueName: "text")) var prompt: String?
  @Option(help: ArgumentHelp("Cut texts to this many tokens, special tokens included.", valueName: "n"))
  var maxLength: Int?
  @Option(help: "What is printed: jsonl or npy.") var output = Output.jsonl
  @OptionGroup var texts: TextOptions
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if let maxLength, maxLength < 1 { throw ValidationError("--max-length must be at least 1") }
    if output == .npy, Console.isTerminal {
      throw ValidationError("--output npy is not text: send it to a file or a program")
    }
  }

  func run() throws {
    let hub = try options.open(), model = try base.load(from: hub)
    var form = try EmbeddingForm(ofModel: model.folder)
    form.pooling = pooling ?? form.pooling
    form.normalizes = normalize ?? form.normalizes
    form.maximumLength = maxLength ?? form.maximumLength
    form.prompt = prompt ?? form.prompt
    let embedder = try TextEmbedder(
      hub, on: model, composition: setup.map { try Composition(parsing: $0) }, form: form,
      allowingOtherWeights: base.mismatch.allowBaseMismatch)
    switch output {
    case .jsonl:
      var failures = 0
      try forEachPart { lines in failures += try put(lines, embedder) }
      if failures > 0 { throw ExitCode(ExitStatus.badData.rawValue) }
    case .npy:
      var vectors: [[Float]] = []
      try forEachPart { lines in vectors += try Self.vectors(lines, embedder).map { try $0.get() } }
      try Console.put(bytes: NumPyFile.bytes(vectors, width: embedder.width))
    }
  }

  /// Texts that were arguments, or lines of the input as far as they can be read without waiting.
  private func forEachPart(_ body: ([InputLine]) throws -> Void) throws {
    guard texts.text.isEmpty else { return try body(texts.text.map { InputLine(.success(.text($0))) }) }
    var reader = try InputReader(texts.bytes(), format: texts.format), count = 0
    while case let lines = try reader.next(upTo: 64), !lines.isEmpty {
      try body(lines)
      count += lines.count
      Progress.shared.update("embedded \(count)")
    }
  }

  private func put(_ lines: [InputLine], _ embedder: TextEmbedder) throws -> Int {
    var failures = 0
    for (line, vector) in zip(lines, try Self.vectors(lines, embedder)) {
      var members: JSON.Members = [:]
      members["id"] = line.id
      switch vector {
      case .success(let vector): members["embedding"] = .array(vector.map { .numeral("\($0)") })
      case .failure(let failure):
        failures += 1
        members = members.with(failure.json)
      }
      try Console.put(Console.escapedJSON(JSON.object(members).text()))
    }
    return failures
  }

  private static func vectors(_ lines: [InputLine], _ embedder: TextEmbedder) throws -> [Result<[Float], Failure>] {
    let texts = lines.map { line in line.input.flatMap { input in text(of: input, line) } }
    var vectors = try embedder.embeddings(of: texts.compactMap { try? $0.get() })[...]
    return texts.map { text in text.flatMap { _ in vectors.removeFirst() } }
  }

  private static func text(of input: TextInput, _ line: InputLine) -> Result<String, Failure> {
    if line.setup != nil {
      return .failure(Failure(.malformedLine, "hub embed has one setup for all lines", hint: "leave out \"setup\""))
    }
    if case .text(let text, nil) = input { return .success(text) }
    return .failure(Failure(.malformedLine, "only a single text has a vector", hint: "give {\"text\": …}"))
  }
}
