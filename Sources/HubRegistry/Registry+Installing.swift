import Foundation
import HubArchive
public import HubBundle
public import HubForeign
public import HubWords
import HubWeights

extension Failure.Code {
  /// Another adapter is installed under this name and version.
  public static let existingVersion = Self("registry/version-exists", .refused)
}

/// What ``Registry/install(from:as:_:hints:)`` did.
public struct Installation: Sendable {
  /// What is installed now.
  public let adapter: InstalledAdapter
  /// The places of a base model where it acts, as far as it tells without one; `nil` if it was not looked at.
  public let siteCount: Int?
  /// False if exactly this adapter was there already.
  public let isNew: Bool
  /// What could not be carried over from a foreign format, and what its name is easily mistaken for, one sentence each.
  public let notes: [String]
  /// What a composition brought along.
  public var members: [Installation] = []
}

extension Registry {
  /// Installs an adapter: a bundle, or an adapter in a foreign format, in a folder or in an archive. Which of them it
  /// is is told by the content. What AdapterHub's index lists, byte for byte, can also be called as it is there.
  ///
  /// Everything is checked before anything is placed. Installing what is there already changes nothing, but mends files
  /// that were damaged. A composition comes with all its members or not at all.
  ///
  /// - Parameters:
  ///   - name: the name to install it under; its own name if `nil`.
  ///   - hints: what the files of a foreign format leave open
  /// - Throws: ``Failure``: what is wrong with the adapter; ``Failure/Code/existingVersion``; codes `trust/...`;
  ///   ``Failure/Code/busyRegistry``.
  @discardableResult
  public func install(
    from path: String, as name: AdapterName? = nil, _ consent: Consent = Consent(),
    hints: ForeignHints = ForeignHints()
  ) throws -> Installation {
    try prepare()
    let parcel = try Parcel(path, as: name, hints, in: ScratchFolder(in: scratchFolder))
    let sites = try locating(path) { try check(parcel.bundle) }
    let staging = try parcel.isOurs ? nil : ScratchFolder(in: scratchFolder)
    defer { withExtendedLifetime((parcel, staging)) {} }
    let arrivals = try contents(of: parcel, as: name).enumerated().map { index, content in
      try Arrival(content.bundle, as: content.name, staging: staging.map { "\($0.path)/\(index)" }, store)
    }
    let alias = try catalogueReference(of: path)?.description
    return try writing {
      let admissions = try admit(arrivals, consent)
      try store.publish(arrivals.flatMap(\.blobs))
      let changes = admissions.filter(\.isChange)
      if !changes.isEmpty {
        try committing { records in
          for change in changes { try records.insert(change, origin: Registry.absolute(path)) }
          if let alias, let own = admissions.last, own.same == nil, try records.alias(alias) == nil {
            try records.insert(Alias(alias: alias, name: own.arrival.adapter.name))
          }
        }
      }
      return Self.installation(admissions, sites: sites, notes: parcel.notes)
    }
  }

  /// Checks everything that ``install(from:as:_:hints:)`` would check, and changes nothing.
  public func rehearseInstall(
    from path: String, as name: AdapterName? = nil, _ consent: Consent = Consent(),
    hints: ForeignHints = ForeignHints()
  ) throws -> Installation {
    let parcel = try Parcel.open(path, as: name, hints)
    let sites = try locating(path) { try check(parcel.bundle) }
    let arrivals = contents(of: parcel, as: name).map {
      Arrival($0.bundle, as: $0.name, files: $0.bundle.manifest.files, store)
    }
    return Self.installation(try admit(arrivals, consent), sites: sites, notes: parcel.notes)
  }

  /// The members of a composition, lower versions first, and then the bundle itself, with the names that they get.
  private func contents(of parcel: Parcel, as name: AdapterName?) -> [(bundle: Bundle, name: AdapterName)] {
    let bundle = parcel.bundle
    let members = zip(bundle.members, bundle.manifest.composed).sorted {
      ($0.1.version, $0.1.name) < ($1.1.version, $1.1.name)
    }
    return members.map { ($0, $1.name) } + [(bundle, name ?? bundle.manifest.name)]
  }

  private static func installation(_ admissions: [Admission], sites: Int?, notes: [String]) -> Installation {
    let all = admissions.map {
      Installation(adapter: $0.same ?? $0.arrival.adapter, siteCount: nil, isNew: $0.same == nil, notes: $0.notes)
    }
    let own = all[all.count - 1]
    return Installation(
      adapter: own.adapter, siteCount: sites, isNew: own.isNew, notes: notes + own.notes, members: all.dropLast())
  }

  /// Applies the rules of names, versions and signatures to each, one after another: a member comes in as it would
  /// alone. Only that it must be signed by somebody the composition's own signature will do, which is about the digest
  /// of the member, too.
  private func admit(_ arrivals: [Arrival], _ consent: Consent) throws -> [Admission] {
    var memberConsent = consent
    memberConsent.requiresSignature = false
    var signers: [AdapterName: [SignerRecord]] = [:]
    return try arrivals.enumerated().map { index, arrival in
      let reference = arrival.adapter.reference, isMember = index < arrivals.count - 1
      guard isMember || !arrivals.dropLast().contains(where: { $0.adapter.reference == reference }) else {
        throw Failure(
          .existingVersion, "a member of the composition has this name and version", at: reference,
          hint: "give another one with --as")
      }
      let hint = isMember ? "a composition needs exactly its own members" : "or give this one another name with --as"
      let admission = try admit(
        arrival, isMember ? memberConsent : consent, since: signers[arrival.adapter.name], hint: hint)
      signers[arrival.adapter.name] = admission.signers
      return admission
    }
  }

  /// - Parameter signers: who signed the name, if that is about to change
  private func admit(
    _ arrival: Arrival, _ consent: Consent, since signers: [SignerRecord]?, hint: String
  ) throws -> Admission {
    let (bundle, adapter) = (arrival.bundle, arrival.adapter)
    try consent.checkLock(bundle, as: adapter.name)
    let (installed, keys, stored, alike) =
      try reading { records -> ([InstalledAdapter], [TrustedKey], [SignerRecord], [AdapterName]) in
        let installed = try records.adapters(named: adapter.name)
        let alike = installed.isEmpty ? try records.lookAlikes(of: adapter) : []
        return (installed, try records.keys(), try records.signers(of: adapter.name), alike)
      } ?? ([], [], [], [])
    let same = try Self.match(adapter, among: installed, hint: hint), before = signers ?? stored
    let after = try Trust(keys: keys, signers: before).admit(
      bundle, as: adapter.name, isInstalled: same != nil, consent)
    let known = try same.map(self.signers) ?? []
    let isChange = same == nil || before != after || !Set(bundle.signatures.map(\.key)).isSubset(of: known)
    return Admission(arrival: arrival, same: same, signers: after, isChange: isChange, lookAlikes: alike)
  }

  /// The adapter of the same name and version, which must be the same in everything.
  static func match(
    _ adapter: InstalledAdapter, among installed: [InstalledAdapter], hint: String = ""
  ) throws -> InstalledAdapter? {
    guard let other = installed.first(where: { $0.version == adapter.version }) else { return nil }
    guard other.digest == adapter.digest else {
      throw Failure(
        .existingVersion,
        "another adapter is installed as \(adapter.reference): \(other.digest.short), and this is \(adapter.digest.short)",
        at: adapter.name.text, hint: "hub remove \(adapter.reference)" + (hint.isEmpty ? "" : ", \(hint)"))
    }
    return other
  }
}

/// An adapter on its way into the registry.
private struct Arrival {
  let bundle: Bundle
  let adapter: InstalledAdapter
  let files: [Manifest.File]
  let blobs: [StagedBlob]

  init(_ bundle: Bundle, as name: AdapterName, files: [Manifest.File], blobs: [StagedBlob] = [], _ store: BlobStore) {
    (self.bundle, self.files, self.blobs) = (bundle, files, blobs)
    adapter = InstalledAdapter(
      name: name, digest: bundle.digest, manifest: bundle.manifest, size: files.reduce(0) { $0 + $1.size },
      parameterCount: bundle.weights.tensors.reduce(0) { $0 + $1.count }, installedAt: Date(), store: store)
  }

  /// Takes the files of a bundle that lies in our own scratch, or copies those of another one and makes sure that they
  /// are the ones that were checked.
  ///
  /// - Parameter prefix: where to copy to; `nil` to take them
  init(_ bundle: Bundle, as name: AdapterName, staging prefix: String?, _ store: BlobStore) throws {
    let root = try OpenFile(folder: bundle.folder)
    let listed = Dictionary(bundle.manifest.files.map { ($0.path, $0) }) { first, _ in first }
    let signatures = Dictionary(bundle.signatures.map { ($0.path, $0.digest) }) { first, _ in first }
    var files: [Manifest.File] = [], blobs: [StagedBlob] = []
    for (name, isFolder) in try root.contents() where !isFolder && !bundle.isMemberFile(name.text) {
      let path = "\(bundle.folder)/\(name)"
      let expected = name.text == "manifest.json" ? bundle.digest : listed[name.text]?.digest ?? signatures[name.text]
      let blob = try expected.map { expected in
        guard let prefix else { return try StagedBlob(taking: path, digest: expected) }
        return try StagedBlob(copying: OpenFile(reading: name, below: root), to: "\(prefix)-\(blobs.count)")
      }
      guard let blob, blob.digest == expected else {
        throw Failure(.changedBundleFile, "the file was changed while it was installed", at: path)
      }
      let role =
        listed[name.text]?.role ?? Manifest.Role(rawValue: name.text == "manifest.json" ? "manifest" : "signature")
      files.append(Manifest.File(path: name.text, role: role, size: blob.size, digest: blob.digest))
      blobs.append(blob)
    }
    self.init(bundle, as: name, files: files, blobs: blobs, store)
  }
}

/// An arrival that may come in.
private struct Admission {
  let arrival: Arrival
  /// The same adapter, if it is there already.
  let same: InstalledAdapter?
  /// Who signed the name, from now on.
  let signers: [SignerRecord]
  /// Whether the index has to learn anything.
  let isChange: Bool
  /// Installed adapters that its name is easily mistaken for.
  let lookAlikes: [AdapterName]

  var notes: [String] {
    lookAlikes.isEmpty
      ? []
      : [
        "the name \(arrival.adapter.name) is easily mistaken for \(lookAlikes.map(\.text).joined(separator: " or ")), which is installed"
      ]
  }
}

extension Records {
  fileprivate func insert(_ admission: Admission, origin: String) throws {
    let (adapter, files) = (admission.arrival.adapter, admission.arrival.files)
    if let same = admission.same {
      try insertMissing(files, of: same)
    } else {
      try insert(adapter, files: files)
      try record(.install, adapter, origin: origin)
    }
    try replaceSigners(of: adapter.name, by: admission.signers)
  }
}
