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

      Takes what `hub install` takes. The same adapter gives the same bytes. Prints the digest of the bundle.
      """)

  @Argument(help: ArgumentHelp("A bundle, or an adapter in another format.", valueName: "dir"), completion: .file())
  var source: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
  var output: String

  @Option(help: "zstd, gzip or none.") var compression = Compression.zstd
  @Option(name: .customLong("as"), help: "The name to give to an adapter that comes in another format.") var name: AdapterName?
  @Flag(help: "Replace a file that is there.") var force = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw Failure(.existingFile, "there is something already", at: output, hint: "replace it with --force")
    }
    let parcel = try Parcel.open(source, as: name)
    guard name == nil || name == parcel.bundle.manifest.name else {
      throw Failure(.renamedBundle, "a bundle keeps its name, which its digest covers", at: source, hint: "hub install --as gives it another one here")
    }
    try locating(source) { try BundleCheck.check(parcel.bundle) }
    try Console.put(parcel.pack(to: output, compression: compression).description)
    for note in parcel.notes { Console.say("hub: note: " + Console.escaped(note)) }
  }
}

extension Failure.Code {
  /// A bundle was to be packed under another name.
  static let renamedBundle = Self("hub/renamed-bundle", .usage)
}
