import Foundation
import HubArchive
import HubBundle
public import HubManifest
import HubWeights

extension Failure.Code {
  /// Another adapter is installed under this name and version.
  public static let existingVersion = Self("registry/version-exists", .refused)
}

/// What ``Registry/install(from:as:)`` did.
public struct Installation: Sendable {
  public let adapter: InstalledAdapter
  /// The places of a base model where it acts, as far as it tells without one; `nil` if it was not looked at.
  public let siteCount: Int?
  /// False if exactly this adapter was there already.
  public let isNew: Bool
  /// What could not be carried over from a foreign format, one sentence each.
  public let notes: [String]
}

extension Registry {
  /// Installs an adapter: a bundle, or an adapter in a foreign format, in a folder or in an archive. Which of them it is
  /// is told by the content. What AdapterHub's index lists, byte for byte, can also be called as it is there.
  ///
  /// Everything is checked before anything is placed. Installing what is there already changes nothing, but mends files
  /// that were damaged.
  ///
  /// - Parameter name: the name to install it under; its own name if `nil`.
  /// - Throws: ``Failure``: what is wrong with the adapter; ``Failure/Code/existingVersion``; codes `trust/...`;
  ///   ``Failure/Code/busyRegistry``.
  @discardableResult
  public func install(from path: String, as name: AdapterName? = nil, _ consent: Consent = Consent()) throws -> Installation {
    try prepare()
    let parcel = try Parcel(path, as: name, in: Scratch(in: scratchFolder))
    let sites = try locating(path) { try check(parcel.bundle) }
    let staging = try Scratch(in: scratchFolder)
    let (files, blobs) = try stage(parcel.bundle, in: staging)
    let adapter = describe(parcel, as: name, files: files)
    let alias = try catalogueReference(of: path)?.description
    return try writing {
      let (same, before, signers) = try admit(parcel, adapter, consent)
      try store.publish(blobs)
      let known = try same.map(self.signers) ?? []
      if same == nil || before != signers || !Set(parcel.bundle.signatures.map(\.key)).isSubset(of: known) {
        try committing {
          if let same {
            try $0.insertMissing(files, of: same)
          } else {
            try $0.insert(adapter, files: files)
            try $0.record(.install, adapter, origin: Registry.absolute(path))
            if let alias, try $0.alias(alias) == nil { try $0.insert(Alias(alias: alias, name: adapter.name)) }
          }
          try $0.replaceSigners(of: adapter.name, by: signers)
        }
      }
      return Installation(adapter: same ?? adapter, siteCount: sites, isNew: same == nil, notes: parcel.notes)
    }
  }

  /// Checks everything that ``install(from:as:_:)`` would check, and changes nothing.
  public func rehearseInstall(from path: String, as name: AdapterName? = nil, _ consent: Consent = Consent()) throws -> Installation {
    let parcel = try Parcel.open(path, as: name)
    let sites = try locating(path) { try check(parcel.bundle) }
    let adapter = describe(parcel, as: name, files: parcel.bundle.manifest.files)
    let same = try admit(parcel, adapter, consent).same
    return Installation(adapter: same ?? adapter, siteCount: sites, isNew: same == nil, notes: parcel.notes)
  }

  /// Applies the rules of names, versions and signatures.
  ///
  /// - Returns: the same adapter if it is there already; who signed the name before, and who has now.
  private func admit(
    _ parcel: Parcel, _ adapter: InstalledAdapter, _ consent: Consent
  ) throws -> (same: InstalledAdapter?, before: [SignerRecord], signers: [SignerRecord]) {
    try consent.checkLock(parcel.bundle)
    let (installed, keys, signers) =
      try reading { (try $0.adapters(named: adapter.name), try $0.keys(), try $0.signers(of: adapter.name)) } ?? ([], [], [])
    let same = try Self.match(adapter, among: installed)
    let trust = Trust(keys: keys, signers: signers)
    return (same, signers, try trust.admit(parcel.bundle, as: adapter.name, isInstalled: same != nil, consent))
  }

  /// The adapter of the same name and version, which must be the same in everything.
  static func match(_ adapter: InstalledAdapter, among installed: [InstalledAdapter]) throws -> InstalledAdapter? {
    guard let other = installed.first(where: { $0.version == adapter.version }) else { return nil }
    guard other.digest == adapter.digest else {
      throw Failure(
        .existingVersion, "another adapter is installed as \(adapter.reference): \(other.digest.short), and this is \(adapter.digest.short)",
        at: adapter.name.text, hint: "hub remove \(adapter.reference), or give this one another name with --as")
    }
    return other
  }

  private func describe(_ parcel: Parcel, as name: AdapterName?, files: [Manifest.File]) -> InstalledAdapter {
    let manifest = parcel.bundle.manifest
    return InstalledAdapter(
      name: name ?? manifest.name, digest: parcel.bundle.digest, manifest: manifest, size: files.reduce(0) { $0 + $1.size },
      parameterCount: parcel.bundle.weights.tensors.reduce(0) { $0 + $1.count }, installedAt: Date(), store: store)
  }

  /// Copies the files of a bundle to scratch, and makes sure that they are the ones that were checked.
  private func stage(_ bundle: Bundle, in scratch: Scratch) throws -> ([Manifest.File], [StagedBlob]) {
    let root = try OpenFile(folder: bundle.folder)
    let listed = Dictionary(bundle.manifest.files.map { ($0.path, $0) }) { first, _ in first }
    let signatures = Dictionary(bundle.signatures.map { ($0.path, $0.digest) }) { first, _ in first }
    var files: [Manifest.File] = [], blobs: [StagedBlob] = []
    for (name, isFolder) in try root.contents() where !isFolder {
      let blob = try StagedBlob(copying: OpenFile(reading: name, below: root), to: "\(scratch.path)/\(blobs.count)")
      let expected = name.text == "manifest.json" ? bundle.digest : listed[name.text]?.digest ?? signatures[name.text]
      guard expected == blob.digest else {
        throw Failure(.changedBundleFile, "the file was changed while it was installed", at: "\(bundle.folder)/\(name)")
      }
      let role = listed[name.text]?.role ?? Manifest.Role(rawValue: name.text == "manifest.json" ? "manifest" : "signature")
      files.append(Manifest.File(path: name.text, role: role, size: blob.size, digest: blob.digest))
      blobs.append(blob)
    }
    return (files, blobs)
  }
}
