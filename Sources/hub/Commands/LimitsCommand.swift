import Dovetail
import ArgumentParser
import HubWords

struct LimitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits",
    abstract: "Print the limits on input.",
    discussion: """
      hub limits

      A file that exceeds one is refused. No file can raise one.
      """)

  @Flag(help: "Print JSON of the schema hub.limits/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    if json {
      let limits = InputLimits.all.map {
        ["what": .string($0.what), "limit": .integer($0.value), "unit": .string($0.unit.rawValue)] as JSON
      }
      return try Console.put(json: ["limits": .array(limits)], schema: "hub.limits/1")
    }
    var table = Table(["WHAT", "LIMIT"])
    for limit in InputLimits.all {
      table.add([limit.what, limit.unit == .bytes && Console.isTerminal ? binary(limit.value) : String(limit.value)])
    }
    try Console.put(table.text())
  }

  /// A power of two, as people say it.
  private func binary(_ count: Int) -> String {
    for (unit, bytes) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] where count % bytes == 0 {
      return "\(count / bytes) \(unit)"
    }
    return "\(count) bytes"
  }
}
