import Foundation
public import HubArchive
public import HubBundle
public import HubForeign
public import HubWords

/// Ours, and not Foundation's.
typealias Bundle = HubBundle.Bundle

extension Failure.Code {
  /// What should be installed is neither a bundle nor an adapter in a format that Dovetail reads.
  public static let nothingToInstall = Self("registry/nothing-to-install", .badData)
  /// Somebody else wrote to what was read: it may be neither what it was nor what it is.
  public static let changedMeanwhile = Self("registry/changed-meanwhile", .inputOutput)
  /// A bundle was to be changed, which its digest and its signatures do not allow.
  public static let sealedBundle = Self("registry/sealed-bundle", .usage)
}

/// Something that may be installed, checked from end to end: a bundle, whatever it was made from.
public struct Parcel: Sendable {
  /// Its folder may be one that lasts as long as the parcel.
  public let bundle: HubBundle.Bundle
  /// What it came as: `bundle` or the name of a foreign format.
  public let format: String
  /// What could not be carried over from a foreign format, one sentence each.
  public let notes: [String]
  /// Keeps the files alive that the bundle is made of.
  private let scratch: ScratchFolder?

  /// Opens a bundle or a foreign adapter, packed or in a folder, without any registry: for looking at it, and for
  /// packing.
  ///
  /// - Parameters:
  ///   - name: the name for an adapter in a foreign format
  ///   - hints: what its files leave open
  public static func open(
    _ path: String, as name: AdapterName? = nil, _ hints: ForeignHints = ForeignHints()
  ) throws -> Parcel {
    try Parcel(
      path, as: name, hints,
      in: ScratchFolder(in: FileManager.default.temporaryDirectory.standardizedFileURL.path, prefix: "dovetail-"))
  }

  /// Whether the bundle lies where only we write: it was unpacked or converted there.
  var isOurs: Bool { scratch.map { bundle.folder.hasPrefix($0.path + "/") } ?? false }

  /// Writes the bundle to one file.
  ///
  /// - Returns: the digest of the bundle.
  @discardableResult
  public func pack(to path: String, compression: Compression = .zstd) throws -> Digest {
    try withExtendedLifetime(scratch) { try Bundle.pack(folder: bundle.folder, to: path, compression: compression) }
  }

  /// The same, saying more about itself.
  ///
  /// - Parameters:
  ///   - probe: what it must answer, for one that has no probe yet
  ///   - signer: who signs it; the manifest says so, and the bundle is refused without this signature from then on
  /// - Throws: ``Failure/Code/sealedBundle`` for what came as a bundle; what makes the manifest invalid.
  public func described(
    probe: Probe? = nil, signer: SigningKey? = nil, _ change: (inout Manifest) throws -> Void = { _ in }
  ) throws -> Parcel {
    guard format != Self.bundleFormat, let scratch else {
      throw Failure(.sealedBundle, "a bundle's manifest cannot be changed: its digest covers it", at: bundle.folder)
    }
    var manifest = bundle.manifest
    try change(&manifest)
    if let (listed, bytes) = probe?.file {
      manifest.files = (manifest.files + [listed]).sorted { $0.path < $1.path }
      try AtomicFile.write(bytes, to: "\(bundle.folder)/\(listed.path)")
    }
    if let signer { manifest.signers = [signer.publicKey.description] }
    try AtomicFile.write(manifest.bytes, to: bundle.folder + "/manifest.json")
    if let signer { try Bundle.writeSignature(of: Digest(of: manifest.bytes), by: signer, in: bundle.folder) }
    return Parcel(try Bundle.open(folder: bundle.folder), format: format, notes: notes, in: scratch)
  }

  private static let bundleFormat = "bundle"

  /// - Parameter scratch: where archives are unpacked and foreign adapters converted.
  init(_ path: String, as name: AdapterName?, _ hints: ForeignHints, in scratch: ScratchFolder) throws {
    var folder = path
    if FileStatus(path, followsLinks: true)?.isFolder != true {
      if try Self.isPackedBundle(path) {
        try Self.refuse(hints, for: path)
        self.init(try Bundle.unpack(file: path, into: scratch.path + "/bundle", isDurable: false), in: scratch)
        return
      }
      // Formats that have no name for an adapter take the folder's.
      folder = try Self.unpack(path, into: "\(scratch.path)/archive/\(Self.title(of: path))")
    }
    self = try Self.relocating(folder, to: path) { try Self.open(folder: folder, as: name, hints, in: scratch) }
  }

  private static func refuse(_ hints: ForeignHints, for path: String) throws {
    guard !hints.isEmpty else { return }
    throw Failure(
      .sealedBundle, "a bundle's labels and base cannot be changed: its digest covers them", at: path,
      hint: "leave --labels and --base-type out")
  }

  /// The name of a file without what says its format.
  private static func title(of path: String) -> String {
    var title = PathParts(path).name
    for suffix in [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".adapter"] where title.lowercased().hasSuffix(suffix)
    {
      title = String(title.dropLast(suffix.count))
    }
    return title.isEmpty || title.hasPrefix(".") ? "archive" : title
  }

  init(_ bundle: Bundle, format: String = Self.bundleFormat, notes: [String] = [], in scratch: ScratchFolder) {
    (self.bundle, self.format, self.notes, self.scratch) = (bundle, format, notes, scratch)
  }

  /// Decided by what is there, never by a name.
  private static func open(
    folder: String, as name: AdapterName?, _ hints: ForeignHints, in scratch: ScratchFolder
  ) throws -> Parcel {
    let folder = try adapterFolder(folder), files = try names(in: folder)
    if files.contains("manifest.json") {
      try refuse(hints, for: folder)
      return Parcel(try Bundle.open(folder: folder), in: scratch)
    }
    guard let format = try ForeignFormats.format(of: folder) else { throw nothing(at: folder) }
    let before = files.sorted().map { "\(folder)/\($0)" }.map { (path: $0, status: FileStatus($0, followsLinks: true)) }
    var adapter = try within(folder) { try format.read(folder: folder, hints) }
    try adapter.complete(with: hints)
    let bundle = try locating(folder) {
      try adapter.writeBundle(to: scratch.path + "/bundle", as: name, isDurable: false)
    }
    for (path, status) in before {
      guard let status, FileStatus(path, followsLinks: true)?.isSameContent(as: status) == true else {
        throw Failure(.changedMeanwhile, "the file was changed while it was read", at: path, hint: "try again")
      }
    }
    return Parcel(bundle, format: format.name, notes: adapter.notes, in: scratch)
  }

  private static func nothing(at folder: String) -> Failure {
    let known = ForeignFormats.all.map { $0.name }.joined(separator: ", ")
    return Failure(
      .nothingToInstall, "neither a bundle nor an adapter in a known format", at: folder,
      hint: "known formats: \(known)")
  }

  /// Whether an adapter lies in the folder itself.
  static func holdsAdapter(_ folder: String) -> Bool {
    FileStatus("\(folder)/manifest.json", followsLinks: true) != nil
      || ((try? ForeignFormats.format(of: folder)) ?? nil) != nil
  }

  /// The folder itself if there is an adapter in it, or else the only one below it that holds one.
  private static func adapterFolder(_ folder: String) throws -> String {
    guard !holdsAdapter(folder) else { return folder }
    func folders(in folder: String) throws -> [String] {
      try names(in: folder).sorted().filter { !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }.filter {
        FileStatus($0, followsLinks: false)?.isFolder == true
      }
    }
    // Packed adapters beside each other are no adapter.
    guard try !names(in: folder).contains(where: { $0 != title(of: $0) }) else { throw nothing(at: folder) }
    let children = try folders(in: folder)
    guard children.count <= 256 else { throw nothing(at: folder) }
    var found = children.filter(holdsAdapter)
    if found.isEmpty { found = try children.flatMap { try folders(in: $0) }.prefix(256).filter(holdsAdapter) }
    guard let only = found.first else { throw nothing(at: folder) }
    guard found.count == 1 else {
      let names = found.prefix(8).map { $0.dropFirst(folder.count + 1) }.joined(separator: ", ")
      throw Failure(
        .nothingToInstall, "the adapters lie in folders below: \(names)", at: folder,
        hint: "name one of them, or several")
    }
    return only
  }

  /// A failure of a format says which of the folder's files is wrong: where that folder is, is put before it.
  private static func within<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let failure as Failure {
      throw failure.subject?.hasPrefix(folder) == true ? failure : failure.within(folder)
    }
  }

  static func isPackedBundle(_ path: String) throws -> Bool {
    try ArchiveReader(file: path).next()?.name.text == "manifest.json"
  }

  /// Unpacks an archive; what lies in one folder at its top is taken out of it.
  private static func unpack(_ path: String, into folder: String) throws -> String {
    try DurableFolder.make(folder)
    try ArchiveReader(file: path).extract(into: folder)
    let names = try names(in: folder)
    guard names.count == 1, let only = names.first, FileStatus("\(folder)/\(only)")?.isFolder == true else {
      return folder
    }
    return "\(folder)/\(only)"
  }

  private static func names(in folder: String) throws -> Set<String> {
    do {
      return Set(try OpenFile(folder: folder).childNames())
    } catch let failure as Failure where failure.code == .unsafeEntryName {
      throw Failure(failure.code, failure.message, at: failure.subject, hint: "give it another name, or take it out")
    }
  }

  /// Speaks of what the user named, not of where it was unpacked.
  private static func relocating<Result>(
    _ folder: String, to path: String, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch var failure as Failure {
      failure.subject = failure.subject?.replacing(folder, with: path)
      throw failure
    }
  }
}
