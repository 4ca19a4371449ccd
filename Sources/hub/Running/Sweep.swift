import Dovetail
import HubTensor
import HubTraining
import HubWords

/// Every combination of the values that keys of a recipe are to take.
struct Sweep {
  /// The settings of each run.
  let runs: [[String]]

  /// - Parameter texts: `key=a,b,c`
  /// - Throws: ``Failure`` if one is not of that form.
  init(_ texts: [String]) throws {
    runs = try texts.reduce([[]]) { runs, text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      let values = parts.count == 2 ? parts[1].split(separator: ",").map(String.init) : []
      guard values.count > 1 else {
        throw Failure(.invalidRecipe, "a sweep has the form key=a,b,…", at: "--sweep \(text)")
      }
      return runs.flatMap { run in values.map { run + ["\(parts[0])=\($0)"] } }
    }
  }

  /// Trains once for each combination, prints a table, and installs the best.
  ///
  /// - Parameter job: what a combination is run by; all are made before the first runs, so that a mistake costs nothing
  func run(_ job: ([String]) throws -> TrainingJob, json: Bool) throws {
    for settings in runs { _ = try job(settings) }
    var best: (job: TrainingJob, outcome: TrainingJob.Outcome, value: Double)?,
      rows: [(settings: [String], value: Double)] = []
    for settings in runs {
      let job = try job(settings), metric = job.metric
      Console.say("hub: " + Console.escaped(settings.joined(separator: " ")))
      let outcome = try job.run(checkpoint: nil, installs: false, shouldStop: { Interruption.isAsked })
      guard outcome.ending != .interrupted else { throw Interruption.Asked() }
      let value = outcome.development?[metric]?.number ?? .nan
      rows.append((settings, value))
      let isBetter = best.map { Scores.isLowerBetter(metric) ? value < $0.value : value > $0.value } ?? true
      if isBetter { best = (job, outcome, value) }
    }
    for row in rows.sorted(by: { $0.value > $1.value }) {
      let text = row.settings.joined(separator: "  ")
      try Console.put(
        json
          ? JSON.object(["settings": .array(row.settings.map(JSON.string)), "value": .number(row.value)]).text()
          : "\(row.value)  \(Console.escaped(text))")
    }
    if let best, let installed = try best.job.install(best.outcome) {
      try Console.put("\(installed.reference)  \(installed.digest.short)")
    }
  }
}
