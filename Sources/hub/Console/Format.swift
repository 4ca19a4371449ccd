import Foundation
import HubBundle
import HubWords
import HubRegistry

/// A number of bytes for people.
func bytes(_ count: Int) -> String {
  let units = ["B", "kB", "MB", "GB", "TB"]
  var value = Double(count), unit = 0
  while value >= 1000, unit + 1 < units.count {
    value /= 1000
    unit += 1
  }
  return unit == 0 ? "\(count) B" : String(format: "%.1f %@", value, units[unit])
}

/// A count for people: `894528` is `894.5 k`.
func count(_ number: Int) -> String {
  let units = ["", " k", " M", " G"]
  var value = Double(number), unit = 0
  while value >= 1000, unit + 1 < units.count {
    value /= 1000
    unit += 1
  }
  return unit == 0 ? "\(number)" : String(format: "%.1f", value) + units[unit]
}

/// A part of a whole for people: `0.8 %`.
func share(_ part: Int, of whole: Int) -> String {
  let percent = 100 * Double(part) / Double(max(1, whole))
  return String(format: percent < 10 ? "%.2g %%" : "%.0f %%", percent)
}

/// A date for people, in their time zone.
func day(_ date: Date, withTime: Bool = true) -> String {
  let formatter = DateFormatter()
  formatter.locale = Locale(identifier: "en_US_POSIX")
  formatter.dateFormat = withTime ? "yyyy-MM-dd HH:mm" : "yyyy-MM-dd"
  return formatter.string(from: date)
}

/// A date for programs.
func timestamp(_ date: Date) -> String { ISO8601DateFormatter().string(from: date) }

extension Manifest.Base {
  /// What to call the base model.
  var title: String { name ?? architecture }

  /// The same without the organisation, for a table.
  var shortTitle: String { title.split(separator: "/").last.map(String.init) ?? title }
}

extension Manifest {
  /// The manifest's fields that lists are made of.
  var summary: JSON.Members {
    var members: JSON.Members = [
      "version": .string(version.description), "kind": .string(kind.rawValue), "method": .string(method),
      "languages": .array(languages.map { .string($0) }), "members": .array(self.members.map { .string($0.text) }),
    ]
    members["task"] = task.map { .string($0) }
    members["labels"] = labels.map { .array($0.map { .string($0) }) }
    members["base"] = json["base"]
    return members
  }
}

extension InstalledAdapter {
  var json: JSON.Members {
    manifest.summary.with([
      "name": .string(name.text), "reference": .string(reference), "digest": .string(digest.description),
      "size": .integer(size),
      "parameters": .integer(parameterCount), "installedAt": .string(timestamp(installedAt)),
    ])
  }
}

extension BaseModelRecord {
  var json: JSON.Members {
    [
      "name": .string(name.text), "folder": .string(folder), "copied": .bool(isCopied),
      "architecture": .string(description.architecture), "hiddenSize": .integer(description.hiddenSize),
      "layers": .integer(description.layers), "fingerprint": .string(description.fingerprint.description),
      "size": .integer(size),
      "addedAt": .string(timestamp(addedAt)), "changed": .bool(hasChanged),
      "files": .array(files.map { .string($0.path) }),
    ]
  }
}
