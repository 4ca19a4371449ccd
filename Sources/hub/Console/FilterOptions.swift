import ArgumentParser
import HubBundle
import HubWords
import HubRegistry

/// The options that say which adapters are wanted.
struct FilterOptions: ParsableArguments {
  @Option(help: "Only this kind: language, task, fusion, adapter, ...") var kind: String?
  @Option(help: "Only this method: seq_bn, lora, ...") var method: String?
  @Option(help: "Only for this base model: its name, architecture or fingerprint.") var base: String?
  @Option(help: "Only for this language, as a tag such as sw or zh-Hant.") var language: String?
  @Option(help: "Only for this task.") var task: String?

  var filter: AdapterFilter {
    AdapterFilter(
      kind: kind.map { AdapterKind(rawValue: $0) }, method: method, base: base, language: language, task: task)
  }
}

extension Table {
  /// Installed adapters, a row each.
  init(_ adapters: [InstalledAdapter]) {
    self.init(["NAME", "VERSION", "KIND", "METHOD", "BASE", "SIZE", "DIGEST", "INSTALLED"])
    for adapter in adapters {
      let manifest = adapter.manifest
      let common = [adapter.name.text, adapter.version.description, manifest.kind.rawValue, manifest.method]
      add(
        common
          + (Console.isTerminal
            ? [
              manifest.base.shortTitle, bytes(adapter.size), adapter.digest.short,
              day(adapter.installedAt, withTime: false),
            ]
            : [manifest.base.title, String(adapter.size), adapter.digest.short, timestamp(adapter.installedAt)]))
    }
  }
}
