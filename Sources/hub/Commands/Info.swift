import ArgumentParser
import Dovetail
import HubBundle
import HubWords
import HubRegistry
import HubWeights

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Describe an adapter, installed or in a file.",
    discussion: """
      hub info sst2
      hub info ./sst2.zip

      An installed adapter takes precedence over a file of the same name; write ./NAME for the file.
      """,
    aliases: ["show"])

  @Argument(help: ArgumentHelp("A reference, or a file or folder.", valueName: "file-or-name"), completion: .file())
  var subject: String

  @Flag(help: "Print JSON of the schema hub.info/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    switch try Subject(subject, in: options.open()) {
    case .installed(let adapter): try describe(adapter)
    case .parcel(let parcel): try describe(parcel)
    }
  }

  private func describe(_ adapter: InstalledAdapter) throws {
    let head = try adapter.head()?.weights.parameterCount
    let signers = try options.open().registry.signers(of: adapter)
    if json {
      let members = adapter.json.with([
        "manifest": adapter.manifest.json, "headParameters": head.map { .integer($0) } ?? .null,
        "signers": .array(signers.map { .string($0.description) }),
      ])
      return try Console.put(json: members, schema: "hub.info/1")
    }
    var sheet = self.sheet(adapter.manifest, name: adapter.name, digest: adapter.digest)
    try add(adapter.config(), of: adapter.manifest, (adapter.parameterCount, head), to: &sheet)
    sheet.add("size", bytes(adapter.size))
    sheet.add("signed by", try names(of: signers))
    sheet.add("installed", day(adapter.installedAt))
    try Console.put(sheet.text)
  }

  private func describe(_ parcel: Parcel) throws {
    let bundle = parcel.bundle
    let (own, head) = (bundle.weights.parameterCount, bundle.head?.weights.parameterCount)
    if json {
      let members = bundle.manifest.summary.with([
        "name": .string(bundle.manifest.name.text), "digest": .string(bundle.digest.description),
        "parameters": .integer(own),
        "headParameters": head.map { .integer($0) } ?? .null, "format": .string(parcel.format),
        "manifest": bundle.manifest.json,
        "notes": .array(parcel.notes.map { .string($0) }),
        "signers": .array(bundle.signatures.map { .string($0.key.description) }),
      ])
      return try Console.put(json: members, schema: "hub.info/1")
    }
    var sheet = self.sheet(bundle.manifest, name: bundle.manifest.name, digest: bundle.digest)
    try add(bundle.config, of: bundle.manifest, (own, head), to: &sheet)
    sheet.add("format", parcel.format)
    sheet.add("signed by", try names(of: bundle.signatures.map(\.key)))
    try Console.put(sheet.text)
    for note in parcel.notes { Console.say("hub: note: " + Console.escaped(note)) }
  }

  /// What the user calls the signers, or else their keys.
  private func names(of signers: [PublicKey]) throws -> String {
    let trusted = try options.open().registry.trustedKeys()
    return signers.map { key in trusted.first { $0.key == key }?.name.text ?? "\(key) (not trusted)" }.joined(
      separator: ", ")
  }

  /// What a composition is made of, or how many parameters another adapter has.
  private func add(
    _ config: JSONObject, of manifest: Manifest, _ parameters: (own: Int, head: Int?), to sheet: inout Sheet
  ) throws {
    guard manifest.kind == .composition else {
      return sheet.add("parameters", "\(parameters.own)" + (parameters.head.map { ", and \($0) in the head" } ?? ""))
    }
    let pinned = try PinnedComposition(config)
    sheet.add("setup", pinned.setup.description)
    sheet.add("head", pinned.head)
    sheet.add("members", manifest.composed.map { "\($0.reference) (\($0.digest.short))" }.joined(separator: ", "))
  }

  private func sheet(_ manifest: Manifest, name: AdapterName, digest: Digest) -> Sheet {
    var sheet = Sheet()
    sheet.add("name", name.text)
    if name != manifest.name { sheet.add("author's name", manifest.name.text) }
    sheet.add("version", manifest.version.description)
    sheet.add("digest", digest.description)
    sheet.add("kind", manifest.kind.rawValue)
    sheet.add("method", manifest.method)
    sheet.add("members", manifest.members.map(\.text).joined(separator: ", "))
    sheet.add("languages", manifest.languages.joined(separator: ", "))
    sheet.add("task", manifest.task)
    sheet.add("labels", manifest.labels?.joined(separator: ", "))
    sheet.add("base", "\(manifest.base.title) (\(manifest.base.architecture), hidden size \(manifest.base.hiddenSize))")
    sheet.add("fingerprint", manifest.base.fingerprint?.description)
    sheet.add("license", manifest.license)
    sheet.add("authors", manifest.authors.joined(separator: ", "))
    sheet.add("description", manifest.description)
    sheet.add("source", manifest.source?["format"]?.string)
    return sheet
  }
}

extension WeightFile {
  fileprivate var parameterCount: Int { tensors.reduce(0) { $0 + $1.count } }
}
