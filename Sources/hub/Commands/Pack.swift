import ArgumentParser
import Dovetail
import Foundation
import HubArchive
import HubBundle
import HubManifest
import HubRegistry

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write an adapter to one file, a bundle.",
    discussion: """
      hub pack my-adapter -o my.adapter
      hub pack sst2.zip -o sst2.adapter --as task/sst2
      hub pack ner.zip -o ner.adapter --probe --model minilm
      hub pack ner.zip -o ner.adapter --release 1.1.0 --task ner --over 'lang/en@^1'

      Takes what `hub install` takes. The same adapter gives the same bytes. Prints the digest of the bundle.
      """)

  @Argument(help: ArgumentHelp("A bundle, or an adapter in another format.", valueName: "dir"), completion: .file())
  var source: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
  var output: String

  @Option(help: "zstd, gzip or none.") var compression = Compression.zstd
  @Option(name: .customLong("as"), help: "The name to give to an adapter that comes in another format.") var name: AdapterName?
  @Option(help: ArgumentHelp("The version to give to an adapter that comes in another format.", valueName: "version")) var release: String?
  @Option(help: "Its task.") var task: String?
  @Option(help: ArgumentHelp("Its language, as a tag such as sw; may be given again.", valueName: "tag")) var language: [String] = []
  @Option(help: ArgumentHelp("The language adapter that it was trained over.", valueName: "reference")) var over: String?
  @Flag(help: "Write down what it answers to a text on its base model, which `hub verify --model` compares.") var probe = false
  @Option(help: ArgumentHelp("The text of the probe.", valueName: "text")) var probeText = "She reads 12 old letters again."
  @Option(help: ArgumentHelp("The base model on which to run the probe.", valueName: "name")) var model: String?
  @Flag(help: "Replace a file that is there.") var force = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    guard probe == (model != nil) else { throw ValidationError("--probe and --model go together") }
  }

  func run() throws {
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw Failure(.existingFile, "there is something already", at: output, hint: "replace it with --force")
    }
    var parcel = try Parcel.open(source, as: name)
    if release != nil || task != nil || over != nil || !language.isEmpty { parcel = try locating(source) { try parcel.described(describe) } }
    guard name == nil || name == parcel.bundle.manifest.name else {
      throw Failure(.renamedBundle, "a bundle keeps its name, which its digest covers", at: source, hint: "hub install --as gives it another one here")
    }
    _ = try locating(source) { try BundleCheck.check(parcel.bundle) }
    if let model {
      let hub = try options.open()
      let probe = try hub.baseModel(model).probe(Subject.parcel(parcel).content(), text: probeText)
      parcel = try locating(source) { try parcel.described(probe: probe) }
    }
    try Console.put(parcel.pack(to: output, compression: compression).description)
    for note in parcel.notes { Console.say("hub: note: " + Console.escaped(note)) }
  }
}

extension Pack {
  private func describe(_ manifest: inout Manifest) throws {
    if let release { manifest.version = try SemanticVersion(release) }
    if let task { manifest.task = task }
    if let over { manifest.dependencies = [try Manifest.Dependency(language: AdapterReference(over))] }
    manifest.languages += language
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
      throw Failure(.malformedReference, "a bundle names others by name and range of versions", at: reference.description)
    }
  }
}
