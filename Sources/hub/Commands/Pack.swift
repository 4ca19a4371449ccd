import ArgumentParser
import Dovetail
import Foundation
import HubArchive
import HubBundle
import HubWords
import HubRegistry

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Write an adapter to one file, a bundle.",
    discussion: """
      hub pack my-adapter -o my.adapter
      hub pack sst2.zip -o sst2.adapter --as task/sst2
      hub pack ner.zip -o ner.adapter --probe --model minilm
      hub pack ner.zip -o ner.adapter --release 1.1.0 --task ner --over 'lang/en@^1' --key release.key
      hub pack --setup 'stack(en, pos)' --as english-pos -o english-pos.adapter

      Packs whatever `hub install` accepts, or a composition of installed adapters, which all go into the one file. \
      The same adapter always gives the same bytes. Prints the digest of the bundle.
      """)

  @Argument(help: ArgumentHelp("A bundle, or an adapter in another format.", valueName: "dir"), completion: .file())
  var source: String?

  @Option(
    help: ArgumentHelp("Instead of a file: installed adapters and how they are composed.", valueName: "composition"))
  var setup: String?
  @Option(
    help: ArgumentHelp("With --setup: the adapter whose head answers; by default the last one.", valueName: "name"))
  var head: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
  var output: String

  @Option(help: "zstd, gzip or none.") var compression = Compression.zstd
  @Option(
    name: .customLong("as"), help: "The name to give to a composition, or to an adapter that comes in another format.")
  var name: AdapterName?
  @Option(help: ArgumentHelp("The version to give it.", valueName: "version")) var release: String?
  @Option(help: "The adapter's task.") var task: String?
  @Option(
    help: ArgumentHelp("The adapter's language, as a tag such as sw; may be given several times.", valueName: "tag"))
  var language: [String] = []
  @Option(help: ArgumentHelp("The language adapter that it was trained over.", valueName: "reference"))
  var over: String?
  @Flag(help: "Record its answer to a text on its base model, for `hub verify --model` to compare.")
  var probe = false
  @Option(help: ArgumentHelp("The text of the probe.", valueName: "text"))
  var probeText = "She reads 12 old letters again."
  @Option(help: ArgumentHelp("The base model on which to run the probe.", valueName: "name"))
  var model: String?
  @Option(
    help: ArgumentHelp(
      "Sign it with this secret key, and say so in the manifest, so that nobody can remove the signature.",
      valueName: "file"
    ), completion: .file())
  var key: String?
  @OptionGroup var hints: HintOptions
  @Flag(help: "Overwrite a file that exists.") var force = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    guard (source == nil) != (setup == nil) else { throw ValidationError("give an adapter or --setup") }
    guard head == nil || setup != nil else { throw ValidationError("--head can only be used with --setup") }
    guard setup == nil || (!probe && over == nil) else {
      throw ValidationError("a composition cannot have --probe or --over")
    }
    guard probe == (model != nil) else { throw ValidationError("--probe and --model must be used together") }
  }

  func run() throws {
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw Failure(
        .existingFile, "something with this name exists already", at: output, hint: "overwrite it with --force")
    }
    let signer = try key.map(SigningKey.init(file:))
    let parcel = try source.map { try adapter($0, signer: signer) } ?? composition(setup ?? "", signer: signer)
    try Console.put(parcel.pack(to: output, compression: compression).description)
    for note in parcel.notes { Console.say("hub: note: " + Console.escaped(note)) }
  }

  private func adapter(_ source: String, signer: SigningKey?) throws -> Parcel {
    var parcel = try Parcel.open(source, as: name, hints.hints)
    if release != nil || task != nil || over != nil || !language.isEmpty {
      parcel = try locating(source) { try parcel.described(describe) }
    }
    guard name == nil || name == parcel.bundle.manifest.name else {
      throw Failure(
        .renamedBundle, "a bundle's name cannot be changed: its digest covers it", at: source,
        hint: "hub install --as installs it under another one")
    }
    _ = try locating(source) { try BundleCheck.check(parcel.bundle) }
    let probe = try model.map {
      try options.open().baseModel($0).probe(Subject.parcel(parcel).content(), text: probeText)
    }
    guard probe != nil || signer != nil else { return parcel }
    return try locating(source) { try parcel.described(probe: probe, signer: signer) }
  }

  private func composition(_ setup: String, signer: SigningKey?) throws -> Parcel {
    guard let name else { throw ValidationError("a composition needs a name: --as") }
    var builder = try options.open().builder(of: Composition(parsing: setup), head: head, named: name)
    try describe(&builder.manifest)
    builder.signer = signer
    let parcel = try Parcel(builder)
    try BundleCheck.check(parcel.bundle)
    return parcel
  }
}

extension Pack {
  private func describe(_ manifest: inout Manifest) throws {
    if let release { manifest.version = try SemanticVersion(release) }
    if let task { manifest.task = task }
    if let over { manifest.dependencies = [try Manifest.Dependency(language: AdapterReference(over))] }
    manifest.languages += language.filter { !manifest.languages.contains($0) }
  }
}

extension Failure.Code {
  /// A bundle was to be packed under another name.
  static let renamedBundle = Self("hub/renamed-bundle", .usage)
}

extension Manifest.Dependency {
  /// The language adapter that a task adapter was trained over.
  fileprivate init(language reference: AdapterReference) throws {
    switch reference.selector {
    case .highest: self.init(name: reference.name, role: "language")
    case .version(let version): self.init(name: reference.name, range: "=\(version)", role: "language")
    case .range(let range): self.init(name: reference.name, range: range.description, role: "language")
    case .digest, .publisher:
      throw Failure(
        .malformedReference, "a bundle must name others by name and range of versions", at: reference.description)
    }
  }
}
