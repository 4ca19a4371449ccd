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
  @OptionGroup var threads: ThreadOptions
  @Flag(help: "Print a JSON object.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if let maxLength, maxLength < 8 { throw ValidationError("--max-length must be at least 8") }
    _ = try (columnNames(), limits(), dataFormat())
  }

  func run() throws {
    let hub = try options.open()
    let base = try hub.baseModel(model, engine: threads.engine())
    let composed = try hub.compose(Composition(parsing: setup), on: base, head: head, namingWords: true)
    let known = Scores.metrics(of: composed.head.answer), limits = try limits()
    if let wrong = limits.first(where: { !known.contains($0.figure) }) {
      throw ValidationError("the head has no figure \(wrong.figure); it has \(known.joined(separator: ", "))")
    }
    let scores = try composed.scores(
      ofFile: file, format: dataFormat(), columns: columnNames(), maximumLength: maxLength)
    if json {
      let figures = scores.figures.reduce(into: JSON.Members()) { $0[$1.name] = .number($1.value) }
      try Console.put(json: ["n": .integer(scores.count), "figures": .object(figures)], schema: "hub.evaluate/1")
    } else {
      for figure in scores.figures {
        try Console.put(
          figure.name.padding(toLength: 12, withPad: " ", startingAt: 0) + String(format: "%.4f", figure.value))
      }
      try Console.put("n           \(scores.count)")
    }
    var isBelow = false
    for limit in limits {
      let value = scores.figure(limit.figure)
      guard Scores.isLowerBetter(limit.figure) ? !(value <= limit.value) : !(value >= limit.value) else { continue }
      Console.say("hub: \(limit.figure) is \(value), but the bound is \(limit.value)")
      isBelow = true
    }
    if isBelow { throw ExitCode(ExitStatus.no.rawValue) }
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
