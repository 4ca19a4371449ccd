import Foundation
import HubBundle
import HubTraining
import HubWords

extension TrainingJob {
  /// What the adapter is, for people.
  func card(_ manifest: Manifest, _ metrics: JSON.Members?) -> String {
    var lines = ["# \(manifest.name)", ""]
    let what =
      manifest.kind == .fusion ? "A fusion" : manifest.kind == .language ? "A language adapter" : "A task adapter"
    lines += [
      "\(what) (\(manifest.method)) for \(manifest.base.name ?? manifest.base.architecture), trained by Dovetail.", "",
      "| | |", "|---|---|", "| task | \(data.objective.task) |",
    ]
    if let labels = manifest.labels {
      let shown = labels.prefix(20).joined(separator: ", ")
      lines.append("| labels | \(shown)\(labels.count > 20 ? " and \(labels.count - 20) more" : "") |")
    }
    if !manifest.languages.isEmpty { lines.append("| language | \(manifest.languages.joined(separator: ", ")) |") }
    if let license = manifest.license { lines.append("| license | \(license) |") }
    for below in manifest.dependencies { lines.append("| trained over | \(below.name) \(below.digest?.short ?? "") |") }
    for file in data.files { lines.append("| \(file.key) | \(file.name), \(file.rows) rows, \(file.digest.short) |") }
    lines.append("| trained numbers | \(trainer.parameterCount) |")
    lines.append("| steps | \(trainer.learner.steps) |")
    if let metrics {
      lines += ["", "| measured on | n | figure | value | 95 % |", "|---|---|---|---|---|"]
      for entry in metrics.entries {
        let n = entry.value["n"]?.integer ?? 0
        for figure in entry.value.object?.entries ?? [] where !["n", "step"].contains(figure.key) {
          let value = figure.value.number ?? .nan
          lines.append(
            "| \(entry.key) | \(n) | \(figure.key) | \(Self.rounded(value)) | \(Self.interval(figure.key, value, n)) |")
        }
      }
    }
    lines += [
      "",
      "The recipe, with the digests of data and base, is in the manifest: `hub rebuild \(manifest.name)` runs it again.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func rounded(_ value: Double) -> String { String(format: "%.4f", value) }

  /// Wilson's interval of a share of n (1927); empty for what is not a share of answers.
  static func interval(_ figure: String, _ share: Double, _ n: Int) -> String {
    guard ["accuracy", "exact", "uas", "las"].contains(figure), n > 0 else { return "" }
    let z = 1.96, n = Double(n), middle = share + z * z / (2 * n)
    let width = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot(), scale = 1 + z * z / n
    return "\(rounded(max(0, (middle - width) / scale))) to \(rounded(min(1, (middle + width) / scale)))"
  }
}
