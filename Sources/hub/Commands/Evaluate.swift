import ArgumentParser
import Dovetail
import Foundation
import HubAdapters
import HubTraining
import HubWords

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a setup on a file of examples.",
    discussion: """
      hub evaluate --model minilm cr test.tsv
      hub evaluate --model minilm 'stack(en, pos)' en_ewt-ud-test.conllu --at-least accuracy=0.9
      hub evaluate --model minilm cr test.tsv --against cr-lora --against 'fuse(cr, sst2)'

      Reads the same files as hub train. Each kind of head has its figures: accuracy, F1 (of entities, for tags such \
      as B-PER), Matthews, Spearman, exact match, LAS and UAS, perplexity. The exit status is 1 if a figure misses \
      the bound of --at-least.
      """)

  @Argument(help: ArgumentHelp("Adapters and how they are composed.", valueName: "composition")) var setup: String
  @Argument(help: ArgumentHelp("The examples.", valueName: "file"), completion: .file()) var file: String
  @Option(help: ArgumentHelp("The base model.", valueName: "name")) var model: String
  @Option(help: ArgumentHelp("The adapter whose head answers; by default the last one.", valueName: "name"))
  var head: String?
  @Option(help: ArgumentHelp("The format of the file, if its name does not tell.", valueName: "format"))
  var format: String?
  @Option(
    name: .customLong("column"), parsing: .singleValue,
    help: ArgumentHelp("What the file calls a column, such as text=review.", valueName: "column=name"))
  var columns: [String] = []
  @Option(help: ArgumentHelp("Cut texts to this many tokens, special tokens included.", valueName: "n"))
  var maxLength: Int?
  @Option(
    name: .customLong("at-least"), parsing: .singleValue,
    help: ArgumentHelp("A bound such as accuracy=0.9: a minimum, or for losses a maximum.", valueName: "figure=value"))
  var bounds: [String] = []
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Another setup, compared on the same rows.", valueName: "composition"))
  var against: [String] = []
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a JSON object.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if let maxLength, maxLength < 8 { throw ValidationError("--max-length must be at least 8") }
    _ = try (columnNames(), limits(), dataFormat())
  }

  func run() throws {
    let hub = try options.open(), base = try hub.baseModel(model, engine: threads.engine())
    let composed = try hub.compose(Composition(parsing: setup), on: base, head: head, namingWords: true)
    let answer = composed.head.answer, known = Scores.metrics(of: answer), limits = try limits()
    if let wrong = limits.first(where: { !known.contains($0.figure) }) {
      throw ValidationError("the head has no figure \(wrong.figure); it has \(known.joined(separator: ", "))")
    }
    // All setups are put together before any is measured: a misspelt name costs no time.
    let others = try against.map { text in
      let other = try hub.compose(Composition(parsing: text), on: base, namingWords: true)
      guard other.head.answer == answer, let metric = PairedComparison.metric(of: answer) else {
        throw ValidationError("\(text) answers another kind of question")
      }
      return (setup: text, model: other, metric: metric)
    }
    let scores = try measured(composed)
    let compared = try others.map { other in
      let figures = try measured(other.model)
      return (
        other.setup, figures.figure(other.metric), try PairedComparison(scores, figures, metric: other.metric)
      )
    }
    try show(scores, compared)
    if misses(limits, scores) { throw ExitCode(ExitStatus.no.rawValue) }
  }

  private func measured(_ model: ComposedModel) throws -> Scores {
    try model.scores(ofFile: file, format: dataFormat(), columns: columnNames(), maximumLength: maxLength)
  }

  private typealias Comparison = (setup: String, figure: Double, result: PairedComparison)

  private func show(_ scores: Scores, _ compared: [Comparison]) throws {
    guard !json else {
      let figures = scores.figures.reduce(into: JSON.Members()) { $0[$1.name] = .number($1.value) }
      var members: JSON.Members = ["n": .integer(scores.count), "figures": .object(figures)]
      if !compared.isEmpty { members["against"] = .array(compared.map { .object(Self.json($0)) }) }
      return try Console.put(json: members, schema: "hub.evaluate/1")
    }
    for figure in scores.figures {
      try Console.put(
        figure.name.padding(toLength: 12, withPad: " ", startingAt: 0) + String(format: "%.4f", figure.value))
    }
    try Console.put("n           \(scores.count)")
    for (setup, figure, result) in compared {
      let numbers = String(
        format: "%.4f, the difference is %+.4f (%+.4f to %+.4f in 95 of 100 resamples), p = %.3f", figure,
        result.difference, result.interval.lowerBound, result.interval.upperBound, result.probability)
      try Console.put("against \(Console.escaped(setup)): \(result.metric) \(numbers)")
    }
  }

  private static func json(_ comparison: Comparison) -> JSON.Members {
    let result = comparison.result
    return [
      "setup": .string(comparison.setup), "figure": .string(result.metric), "value": .number(comparison.figure),
      "difference": .number(result.difference), "low": .number(result.interval.lowerBound),
      "high": .number(result.interval.upperBound), "p": .number(result.probability),
    ]
  }

  private func misses(_ limits: [(figure: String, value: Double)], _ scores: Scores) -> Bool {
    limits.reduce(false) { missed, limit in
      let value = scores.figure(limit.figure)
      guard Scores.isLowerBetter(limit.figure) ? !(value <= limit.value) : !(value >= limit.value) else {
        return missed
      }
      Console.say("hub: \(limit.figure) is \(value), and the bound is \(limit.value)")
      return true
    }
  }

  private func dataFormat() throws -> DataFormat? {
    guard let format else { return nil }
    guard let known = DataFormat(rawValue: format) else {
      throw ValidationError("--format is one of \(DataFormat.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return known
  }

  private func columnNames() throws -> [String: String] {
    try columns.reduce(into: [:]) { names, text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw ValidationError("--column takes column=name, not \(text)") }
      names[parts[0]] = parts[1]
    }
  }

  private func limits() throws -> [(figure: String, value: Double)] {
    try bounds.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let value = Double(parts[1]), value.isFinite else {
        throw ValidationError("--at-least takes figure=value, not \(text)")
      }
      return (parts[0], value)
    }
  }
}
