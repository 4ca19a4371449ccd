import ArgumentParser
import Dovetail
import HubBundle
import HubWords
import HubRegistry

struct Install: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Install adapters.",
    discussion: """
      hub install sst2.zip
      hub install my.adapter other.adapter
      hub install ./saved-by-adapters --as task/sentiment
      hub install ./my-lora --labels negative,positive
      hub install acme.adapter --require-signature
      hub install --locked hub.lock ./adapters

      Installs bundles, and what the Python libraries `adapters` and PEFT saved, in a folder or in a zip or tar \
      archive. Everything is checked before anything is installed. A name that was once signed is accepted from the \
      same signer only, and never in an older version, unless a flag allows it.
      """)

  @Argument(help: ArgumentHelp("Files or folders.", valueName: "path"), completion: .file())
  var paths: [String]

  @Option(name: .customLong("as"), help: "The name to install it under.")
  var name: AdapterName?

  @Flag(help: "Check everything and change nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Install exactly what this file of hub lock lists, from the files and folders.", valueName: "file"),
    completion: .file())
  var locked: String?

  @OptionGroup var hints: HintOptions
  @OptionGroup var consent: ConsentOptions

  @Flag(name: .shortAndLong, help: "Print references only.")
  var quiet = false

  @OptionGroup var options: RegistryOptions

  func validate() throws {
    guard name == nil || paths.count == 1 else {
      throw ValidationError("--as can name only one adapter, but there are \(paths.count)")
    }
    guard locked == nil || (name == nil && !dryRun) else {
      throw ValidationError("--locked cannot be used with --as or --dry-run")
    }
  }

  func run() throws {
    let registry = try options.open().registry
    if let locked {
      let lock = try locating(locked) { try Lock(JSON(file: locked)) }
      let offers = try Offers(saying: paths)
      for result in try registry.install(lock, from: offers, consent.consent) { try report(result) }
      return
    }
    for path in paths {
      let consent = consent.consent
      try report(
        dryRun
          ? registry.rehearseInstall(from: path, as: name, consent, hints: hints.hints)
          : registry.install(from: path, as: name, consent, hints: hints.hints))
    }
    if dryRun, !quiet { Console.say("hub: nothing was installed: this was a dry run") }
  }

  private func report(_ result: Installation) throws {
    for member in result.members where member.isNew { try report(member) }
    try Console.put(quiet ? "\(result.adapter.name)@\(result.adapter.digest)" : line(result))
    guard !quiet else { return }
    for note in result.notes { Console.say("hub: note: " + Console.escaped(note)) }
    if !result.isNew { Console.say("hub: note: \(result.adapter.reference) was installed already") }
  }

  private func line(_ result: Installation) -> String {
    let adapter = result.adapter
    let sites = result.siteCount.map { " at \($0) \($0 == 1 ? "site" : "sites")" } ?? ""
    let (own, what) =
      adapter.manifest.kind == .composition
      ? (adapter.manifest.composed.count, "members") : (adapter.parameterCount, "parameters")
    let cells =
      [
        adapter.name.text, adapter.version.description, adapter.manifest.kind.rawValue, adapter.manifest.method,
        adapter.digest.short,
      ]
      + (Console.isTerminal
        ? ["\(count(own)) \(what)\(sites)"] : [String(own), result.siteCount.map { "\($0)" } ?? "-"])
    return cells.map(Console.escaped).joined(separator: Console.isTerminal ? "  " : "\t")
  }
}
