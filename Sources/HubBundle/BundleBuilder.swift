import HubArchive
public import HubWords
public import HubWeights

/// Makes a bundle from what an adapter consists of. Equal parts are equal bytes.
public struct BundleBuilder: Sendable {
  /// What the adapter says about itself; `files` is filled in by ``write(to:)``.
  public var manifest: Manifest
  /// The method's configuration, an object.
  public var config: JSON
  /// The adapter's tensors, by the names of the bundle format.
  public var weights: [StoredTensor]
  /// The head that goes with the adapter; `nil` without one.
  public var head: StoredModule?
  /// The model card, in Markdown.
  public var card: String?
  /// What the adapter answers to a small input; `nil` without a probe.
  public var probe: Probe?
  /// Who signs it; the manifest says so, and the bundle is refused without this signature.
  public var signer: SigningKey?
  /// The adapters inside a composition, which its manifest names.
  public var members: [Member] = []

  /// A bundle inside a composition.
  public struct Member: Sendable {
    /// The digest of its manifest.
    public let digest: Digest
    /// All its files, with their paths in that bundle.
    public let files: [(path: String, file: MappedFile)]

    /// - Parameters:
    ///   - digest: that of its manifest
    ///   - files: all its files, with their paths in that bundle
    public init(digest: Digest, files: [(path: String, file: MappedFile)]) {
      (self.digest, self.files) = (digest, files)
    }
  }

  public init(manifest: Manifest, config: JSON, weights: [StoredTensor], head: StoredModule? = nil, card: String? = nil)
  {
    self.manifest = manifest
    self.config = config
    self.weights = weights
    self.head = head
    self.card = card
  }

  /// Writes the bundle to a folder, which must not be there yet or be empty, and opens it.
  ///
  /// - Parameter isDurable: whether it must survive a power cut
  /// - Throws: whatever ``Bundle/open(folder:)`` throws for a bundle that is not right, before the folder appears;
  ///   ``Failure/Code/existingFile``.
  public func write(to folder: String, isDurable: Bool = true) throws -> Bundle {
    let scratch = try StagedFolder(for: folder)
    var manifest = manifest
    manifest.files = []
    func add(_ path: String, _ role: Manifest.Role, _ bytes: [UInt8]) throws {
      try scratch.write(path, bytes)
      manifest.files.append(Manifest.File(path: path, role: role, size: bytes.count, digest: Digest(of: bytes)))
    }
    if let card { try add("CARD.md", .card, Array(card.utf8)) }
    try add("config.json", .config, Self.bytes(config))
    if let head {
      try scratch.makeFolder("head")
      try add("head/config.json", .headConfig, Self.bytes(.object(head.configuration)))
      try add("head/weights.safetensors", .headWeights, SafetensorsWriter.bytes(of: head.weights))
    }
    if let probe { try add(Probe.path, .probe, Self.bytes(probe.json)) }
    try add("weights.safetensors", .weights, SafetensorsWriter.bytes(of: weights))
    if let signer { manifest.signers = [signer.publicKey.description] }
    try scratch.write(Bundle.manifestName, manifest.bytes)
    if let signer { try Bundle.writeSignature(of: Digest(of: manifest.bytes), by: signer, in: scratch.path) }
    try scratch.write(members)
    return try Bundle.publishing(scratch, isDurable: isDurable)
  }

  static func bytes(_ json: JSON) -> [UInt8] { Array((json.text(indent: 2) + "\n").utf8) }
}

extension StagedFolder {
  /// Writes the files of members, and the folders above them.
  fileprivate func write(_ members: [BundleBuilder.Member]) throws {
    var folders: Set<String> = []
    for member in members {
      for (path, file) in member.files {
        let components = try EntryName(MemberFolders.folder(of: member.digest) + path).components
        for count in 1..<components.count where folders.insert(components[..<count].joined(separator: "/")).inserted {
          try makeFolder(components[..<count].joined(separator: "/"))
        }
        try file.withBytes { try write(components.joined(separator: "/"), buffer: $0) }
      }
    }
  }
}
