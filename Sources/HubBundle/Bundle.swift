import HubArchive
public import HubWords
public import HubWeights

extension Failure.Code {
  /// There is no manifest where a bundle should be, or it is not the first entry of the archive.
  public static let notABundle = Self("bundle/no-manifest", .badData)
  /// The manifest lists a file that is not there.
  public static let missingBundleFile = Self("bundle/missing-file", .badData)
  /// There is a file that the manifest does not list.
  public static let unlistedBundleFile = Self("bundle/unlisted-file", .badData)
  /// A file has another size or digest than the manifest says.
  public static let changedBundleFile = Self("bundle/changed-file", .badData)
  /// A file that every bundle has is missing, or one that may be there once is there twice.
  public static let wrongBundleRoles = Self("bundle/roles", .badData)
}

/// An adapter in a folder: the manifest and the files that it lists, checked and mapped.
///
/// Opening a bundle reads every byte once: sizes and digests are compared with the manifest, tensors must be finite,
/// and there must be no file more or less than listed. What was checked is what is mapped.
public struct Bundle: Sendable {
  /// Where the bundle lies.
  public private(set) var folder: String
  /// What the bundle says about itself.
  public let manifest: Manifest
  /// The digest of the manifest as it lies in the bundle. It names the digests of all files, and so everything:
  /// this is the identity of the adapter, whatever the archive or the compression it came in.
  public let digest: Digest
  /// Who signed it, by key. All of them are verified; whether a key is to be trusted is for others to say.
  public let signatures: [BundleSignature]
  /// The method's configuration.
  public let config: JSONObject
  /// The adapter's tensors, by the names of the bundle format.
  public let weights: WeightFile
  /// The head that came with the adapter; `nil` without one.
  public let head: Head?
  /// The model card, in Markdown.
  public let card: String?
  /// What the adapter must answer to a tiny input.
  public let probe: Probe?
  /// The adapters inside a composition, in the order of ``Manifest/composed``; each a bundle of its own.
  public private(set) var members: [Bundle]
  let memberFolders: MemberFolders
  /// Everything in the folder, for packing.
  let files: [(name: EntryName, file: MappedFile)]

  /// The head that belongs to an adapter.
  public struct Head: Sendable {
    /// AdapterHub's keys of `head_config.json`.
    public let config: JSONObject
    /// The head's tensors, by the names of the bundle format.
    public let weights: WeightFile
  }

  static let manifestName = "manifest.json"
  static let manifestLimit = InputLimits.jsonBytes

  /// Opens a folder and checks all of it.
  ///
  /// - Throws: ``Failure`` with codes `bundle/...`, `manifest/...`, `safetensors/...`, `tensor/...`, `json/...`,
  ///   `archive/...` (for names) or `file/...`.
  public static func open(folder: String) throws -> Bundle {
    try locating(folder) { try Bundle(folder) }
  }

  /// Checks what was written, as ``open(folder:)`` does, and then gives it its name. What was checked stays mapped: it
  /// is not read again. Failures do not name the folder, which is not the one that was asked for.
  static func publishing(_ scratch: StagedFolder, isDurable: Bool) throws -> Bundle {
    let bundle = try Bundle(scratch.path)
    try scratch.publish(isDurable: isDurable)
    return bundle.renamed(from: scratch.path, to: scratch.target)
  }

  private func renamed(from old: String, to new: String) -> Bundle {
    var renamed = self
    renamed.folder = new + folder.dropFirst(old.count)
    renamed.members = members.map { $0.renamed(from: old, to: new) }
    return renamed
  }

  init(_ folder: String, isMember: Bool = false) throws {
    let root = try OpenFile(folder: folder)
    let names = try root.contents().filter { !$0.isFolder }.map(\.name)
    guard names.contains(where: { $0.text == Self.manifestName }) else {
      throw Failure(.notABundle, "there is no \(Self.manifestName): this is not a bundle")
    }
    let files = try names.map { (name: $0, file: try MappedFile(OpenFile(reading: $0, below: root), path: $0.text)) }
    let mapped = Dictionary(files.map { ($0.name.text, $0.file) }) { first, _ in first }
    guard let stored = mapped[Self.manifestName] else { throw Failure(.notABundle, "there is no \(Self.manifestName)") }
    let signing = mapped.filter { BundleSignature.isSignature($0.key) }
      .map { ($0.key, $0.value.withBytes { Array($0.prefix(BundleSignature.size + 1)) }) }
    let (manifest, digest, signatures) = try stored.withBytes { try Self.parseManifest(Array($0), signing: signing) }
    memberFolders = MemberFolders(of: manifest)
    let roles = try Self.check(manifest, memberFolders, against: mapped)

    self.folder = folder
    self.manifest = manifest
    self.digest = digest
    self.signatures = signatures
    self.files = files
    config = try Self.json(roles.required(.config))
    weights = try Self.tensors(roles.required(.weights))
    head = try roles.head.map { Head(config: try Self.json($0.config), weights: try Self.tensors($0.weights)) }
    card = try roles.optional(.card).map { try Self.text($0) }
    probe = try roles.optional(.probe).map { file in
      try locating(file.path) { try Probe(Self.object(file), hiddenSize: manifest.base.hiddenSize) }
    }
    members =
      try manifest.kind == .composition ? Self.members(of: manifest, in: folder, files: mapped, isMember: isMember) : []
    if manifest.kind == .composition { try checkComposition() }
  }

  /// Takes the digest of a manifest and verifies its signatures, and only then looks at what it says.
  static func parseManifest(
    _ bytes: [UInt8], signing: [(path: String, bytes: [UInt8])]
  ) throws -> (Manifest, Digest, [BundleSignature]) {
    let digest = Digest(of: bytes)
    let signatures = try BundleSignature.verified(signing, of: digest)
    let manifest = try locating(manifestName) { try Manifest(parsing: bytes) }
    for signer in manifest.signers where !signatures.contains(where: { $0.key.description == signer }) {
      throw Failure(
        .missingSignature, "the manifest says that \(signer) signed the bundle, but the signature is missing",
        at: "signers",
        hint: "do not use the bundle: somebody changed it")
    }
    return (manifest, digest, signatures)
  }

  /// Compares what is listed with what is there. Signatures are not listed: they sign the list. Members list their own
  /// files.
  private static func check(
    _ manifest: Manifest, _ members: MemberFolders, against mapped: [String: MappedFile]
  ) throws -> Roles {
    var roles = Roles()
    var names = EntryNames()
    for file in manifest.files {
      let name = try EntryName(file.path)
      try names.insert(name, isFolder: false)
      guard file.path != manifestName, !BundleSignature.isSignature(file.path), !members.hold(file.path),
        let found = mapped[file.path]
      else {
        throw Failure(.missingBundleFile, "the manifest lists a file that is missing", at: file.path)
      }
      guard found.count == file.size else {
        throw Failure(
          .changedBundleFile, "the file has \(found.count) bytes, but the manifest says \(file.size)", at: file.path)
      }
      var hasher = Digest.Hasher()
      found.withBytes { hasher.update($0) }
      let digest = hasher.finish()
      guard digest == file.digest else {
        throw Failure(
          .changedBundleFile, "the file has the digest \(digest), but the manifest says \(file.digest)", at: file.path)
      }
      roles.add(file.role, found)
    }
    let listed = Set(manifest.files.map(\.path))
    let isLoose = { (path: String) in path != manifestName && !BundleSignature.isSignature(path) && !members.hold(path)
    }
    for path in mapped.keys.sorted() where isLoose(path) && !listed.contains(path) {
      throw Failure(.unlistedBundleFile, "the manifest does not list this file", at: path)
    }
    return roles
  }

  private static func json(_ file: MappedFile) throws -> JSONObject {
    try locating(file.path) { try object(file) }
  }

  private static func object(_ file: MappedFile) throws -> JSONObject {
    try JSONObject(try JSON(parsing: file.withBytes { Array($0.prefix(manifestLimit + 1)) }))
  }

  private static func tensors(_ file: MappedFile) throws -> WeightFile {
    let weights = try Safetensors.open(file)
    try weights.checkFinite()
    return weights
  }

  private static func text(_ file: MappedFile) throws -> String {
    guard let text = file.withBytes({ String(validating: $0, as: UTF8.self) }) else {
      throw Failure(.changedBundleFile, "the card is not UTF-8", at: file.path)
    }
    return text
  }
}

/// The files of a bundle by what they are for.
private struct Roles {
  private var files: [Manifest.Role: [MappedFile]] = [:]

  mutating func add(_ role: Manifest.Role, _ file: MappedFile) { files[role, default: []].append(file) }

  func optional(_ role: Manifest.Role) throws -> MappedFile? {
    let found = files[role] ?? []
    guard found.count < 2 else {
      throw Failure(.wrongBundleRoles, "two files have the role \(role.rawValue)", at: found[1].path)
    }
    return found.first
  }

  func required(_ role: Manifest.Role) throws -> MappedFile {
    guard let file = try optional(role) else {
      throw Failure(.wrongBundleRoles, "no file has the role \(role.rawValue)")
    }
    return file
  }

  /// Both files of the head, or neither.
  var head: (config: MappedFile, weights: MappedFile)? {
    get throws {
      let (config, weights) = (try optional(.headConfig), try optional(.headWeights))
      if config == nil && weights == nil { return nil }
      return (try required(.headConfig), try required(.headWeights))
    }
  }
}
