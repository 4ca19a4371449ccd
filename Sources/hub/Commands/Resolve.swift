import ArgumentParser
import Dovetail
import HubBundle
import HubWords
import HubRegistry

struct Resolve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resolve",
    abstract: "Show which installed adapter a reference means, and why.",
    discussion: """
      hub resolve 'ner@^1.2' --explain
      hub resolve sha256:a8c0ca4956eb
      hub resolve --task ner --base xlm-roberta-base
      hub run --model xlmr --setup "$(hub resolve ner --in sw)" "…"

      Of several versions, the newest is chosen; several names are an error that lists them. With --in, prints the \
      composition that runs a task adapter on the adapter of another language than the one it was trained over.
      """)

  @Argument(
    help: ArgumentHelp(
      "A reference: name, name@1.2.0, name@^1.2, name@sha256:…, name@publisher, sha256:….", valueName: "reference"))
  var reference: String?

  @OptionGroup var wanted: FilterOptions
  @Option(name: .customLong("in"), help: ArgumentHelp("The language of the texts.", valueName: "tag"))
  var textLanguage: String?
  @Flag(help: "Print every adapter considered, and why it was not chosen.") var explain = false
  @Flag(help: "Print JSON of the schema hub.resolve/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    let isEmpty = reference == nil && wanted.filter == AdapterFilter()
    if isEmpty { throw ValidationError("nothing to resolve: give a reference or a filter such as --task") }
  }

  func run() throws {
    let registry = try options.open().registry
    let resolution = try resolve(registry)
    let chosen = resolution.chosen
    let language = try textLanguage.map { try registry.languageAdapter($0, under: chosen) }
    let setup = language.map { "stack(\($0.name), \(chosen.name))" }
    if json {
      var members = chosen.json
      members["setup"] = setup.map { .string($0) }
      members["dependencies"] = chosen.manifest.json["dependencies"]
      members["candidates"] = .array(resolution.candidates.map { $0.json })
      return try Console.put(json: members, schema: "hub.resolve/1")
    }
    guard explain else { return try Console.put(setup ?? "\(chosen.name)@\(chosen.version)") }
    var table = Table(["ADAPTER", "DIGEST", "VERDICT"])
    for candidate in resolution.candidates {
      table.add([candidate.adapter.reference, candidate.adapter.digest.short, candidate.objection ?? "chosen"])
    }
    for dependency in chosen.manifest.dependencies {
      let met = try registry.list(AdapterFilter(namePrefix: dependency.name.text)).first { dependency.isMet(by: $0) }
      table.add([
        dependency.title, met?.digest.short ?? "-",
        "\(dependency.role) of \(chosen.name)\(met == nil ? ", not installed" : "")",
      ])
    }
    if let language { table.add([language.reference, language.digest.short, "language of the texts"]) }
    try Console.put(table.text())
  }

  private func resolve(_ registry: Registry) throws -> Resolution {
    guard let reference else { return try registry.resolution(of: nil, wanted.filter) }
    guard let digits = try AdapterReference.digestDigits(reference) else {
      return try registry.resolution(of: AdapterReference(reference), wanted.filter)
    }
    var filter = wanted.filter
    filter.digestPrefix = digits
    return try locating(reference) { try registry.resolution(of: nil, filter) }
  }
}

extension Manifest.Dependency {
  /// As one writes it on the command line.
  var title: String { name.text + (range.map { "@\($0)" } ?? "") }
}

extension Resolution.Candidate {
  fileprivate var json: JSON {
    [
      "reference": .string(adapter.reference), "digest": .string(adapter.digest.description),
      "objection": objection.map { .string($0) } ?? .null,
    ]
  }
}
