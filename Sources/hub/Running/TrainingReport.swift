import Dovetail
import Foundation
import HubTraining
import HubWords

/// Tells how a run goes: one line that changes on a terminal, a line for each evaluation otherwise, JSON lines for
/// programs.
final class TrainingReport {
  private let json: Bool
  private let metric: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let began = Date()
  private var tokens = 0
  private var steps = 0
  private var losses: [Double] = []
  private var last = Date.distantPast
  private var curve: [Double] = []

  init(json: Bool, metric: String) { (self.json, self.metric) = (json, metric) }

  func say(_ text: String) { Console.say("hub: " + Console.escaped(text)) }

  func observe(_ event: Trainer.Event) {
    switch event {
    case .step(let number, let all, let report, let rate, let tokens):
      self.tokens += tokens
      steps += 1
      losses.append(report.loss)
      put([
        "event": "step", "step": .integer(number), "steps": .integer(all), "loss": .number(report.loss),
        "gradient_norm": .number(report.gradientNorm), "learning_rate": .number(rate), "tokens": .integer(tokens),
      ])
      let seconds = Date().timeIntervalSince(began)
      let line =
        "step \(number) of \(all), loss \(shown(mean)), \(Int(Double(self.tokens) / max(seconds, 1e-3))) tokens/s, "
        + "\(Int(seconds / Double(steps) * Double(all - number))) s left"
      if isTerminal, !json { Progress.shared.update(line) }
      // Elsewhere a line now and then.
      if !isTerminal, !json, Date().timeIntervalSince(last) > 10 {
        last = Date()
        say(line)
      }
    case .evaluation(let record, let isBest):
      put([
        "event": "evaluation", "step": .integer(record.step), "figures": .object(record.figures), "best": .bool(isBest),
      ])
      curve.append(record.figures[metric]?.number ?? .nan)
      if !json {
        let figures = record.figures.entries.map { "\($0.key) \(shown($0.value.number ?? .nan))" }
        say("step \(record.step): " + figures.joined(separator: ", ") + (isBest ? " (best)" : ""))
      }
    case .checkpoint(let step): put(["event": "checkpoint", "step": .integer(step)])
    }
  }

  func end(_ outcome: TrainingJob.Outcome) {
    put([
      "event": "end", "ending": .string(outcome.ending.rawValue),
      "development": outcome.development.map(JSON.object) ?? .null, "test": outcome.test.map(JSON.object) ?? .null,
      "installed": outcome.installed.map { .string($0.reference) } ?? .null,
      "digest": outcome.installed.map { .string($0.digest.description) } ?? .null,
      "folder": outcome.folder.map(JSON.string) ?? .null,
    ])
    guard !json else { return }
    if curve.count > 1 { say("\(metric) " + sparkline) }
    if let test = outcome.test {
      say("test: " + test.entries.map { "\($0.key) \(shown($0.value.number ?? .nan))" }.joined(separator: ", "))
    }
    if let installed = outcome.installed {
      try? Console.put("\(installed.reference)  \(installed.digest.short)  \(outcome.ending.rawValue)")
    }
    if let folder = outcome.folder { try? Console.put(Console.escaped(folder)) }
  }

  /// The mean of the last losses.
  private var mean: Double { losses.suffix(50).reduce(0, +) / Double(max(1, losses.suffix(50).count)) }

  /// The figure at each evaluation, as blocks of eight heights.
  private var sparkline: String {
    let known = curve.filter(\.isFinite), least = known.min() ?? 0, most = known.max() ?? 0
    let blocks = Array("▁▂▃▄▅▆▇█")
    return String(
      curve.suffix(60).map { value in
        value.isFinite && most > least ? blocks[Int(((value - least) / (most - least) * 7).rounded())] : blocks[0]
      }) + " \(shown(least)) to \(shown(most))"
  }

  private func shown(_ value: Double) -> String { String(format: "%.4g", value) }

  private func put(_ members: JSON.Members) {
    if json { try? Console.put(Console.escapedJSON(JSON.object(members).text())) }
  }
}
