public import HubBundle
public import HubWords

extension Failure.Code {
  /// A file is not a lock.
  public static let malformedLock = Self("lock/malformed", .badData)
  /// A locked adapter is nowhere to be found.
  public static let missingLocked = Self("lock/missing", .notFound)
  /// What should be installed is not what was locked.
  public static let otherContent = Self("lock/other-content", .refused)
}

/// Which adapters there are, to the bit: what makes the same setup on another machine.
public struct Lock: Hashable, Sendable {
  /// One adapter, to the bit.
  public struct Entry: Hashable, Sendable {
    /// The name that it is installed under.
    public let name: AdapterName
    /// Exactly this version.
    public let version: SemanticVersion
    /// The digest of its manifest.
    public let digest: Digest
    /// The keys that signed it.
    public let signers: [PublicKey]
  }

  /// The adapters that are locked.
  public let entries: [Entry]

  private static let format = "dovetail-lock/1"

  /// The file: sorted, so that equal locks are equal bytes.
  public var json: JSON {
    let sorted = entries.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
    return ["format": .string(Self.format), "adapters": .array(sorted.map(\.json))]
  }

  /// - Throws: ``Failure/Code/malformedLock`` for another format; what is wrong with an entry.
  public init(_ json: JSON) throws {
    let object = try JSONObject(json)
    let format = try object.string("format")
    guard format == Self.format else {
      throw Failure(
        .malformedLock, "\(format.prefix(60).debugDescription) is not the format of a lock", at: "format",
        hint: "update Dovetail, or run hub lock")
    }
    entries = try object.array("adapters").enumerated().map { index, entry in
      let object = try JSONObject(entry, path: "adapters[\(index)]")
      return try locating(object.path) {
        Entry(
          name: try AdapterName(object.string("name")), version: try SemanticVersion(object.string("version")),
          digest: try Digest(object.string("digest")),
          signers: try object.optionalStrings("signers")?.map { try PublicKey($0) } ?? [])
      }
    }
  }

  init(entries: [Entry]) { self.entries = entries }
}

extension Lock.Entry {
  fileprivate var json: JSON {
    var members: JSON.Members = [
      "name": .string(name.text), "version": .string(version.description), "digest": .string(digest.description),
    ]
    members["signers"] = signers.isEmpty ? nil : .array(signers.map { .string($0.description) })
    return .object(members)
  }
}

extension Registry {
  /// Writes down what references mean, what that was trained with, and the members of compositions; everything that is
  /// installed without any.
  ///
  /// - Throws: ``Failure/Code/unknownAdapter`` also for what an adapter was trained with.
  public func lock(_ references: [AdapterReference] = []) throws -> Lock {
    var adapters = try references.isEmpty ? list() : []
    var waiting = try references.map(resolve)
    func add(_ adapter: InstalledAdapter) -> Bool {
      guard !adapters.contains(where: { $0.reference == adapter.reference }) else { return false }
      adapters.append(adapter)
      return true
    }
    while let adapter = waiting.popLast() {
      guard add(adapter) else { continue }
      // A composition is whole: what its members were trained with does not matter to it.
      for member in try members(of: adapter) { _ = add(member) }
      let others = adapter.manifest.dependencies.filter { $0.member == nil }
      waiting += try locating(adapter.reference) { try others.map { try resolve($0.reference) } }
    }
    return Lock(
      entries: try adapters.map { adapter in
        Lock.Entry(
          name: adapter.name, version: adapter.version, digest: adapter.digest, signers: try signers(of: adapter))
      })
  }

  /// Installs exactly what is locked from what is offered, members with their composition. If something is missing,
  /// nothing is installed.
  ///
  /// - Throws: ``Failure/Code/missingLocked``, ``Failure/Code/otherContent``, and what installing throws.
  @discardableResult
  public func install(_ lock: Lock, from offers: Offers, _ consent: Consent = Consent()) throws -> [Installation] {
    let installed = try list()
    let offered = lock.entries.map { (entry: $0, offer: offers.offer($0.digest)) }
    let inside = Set(offered.flatMap { $0.offer?.manifest.composed ?? [] })
    enum Step { case keep(InstalledAdapter), take(Offer, Lock.Entry) }
    let steps = try offered.compactMap { entry, offer -> Step? in
      if let offer { return .take(offer, entry) }
      if let same = installed.first(where: { $0.name == entry.name && $0.digest == entry.digest }) {
        return .keep(same)
      }
      if inside.contains(Manifest.Member(name: entry.name, version: entry.version, digest: entry.digest)) { return nil }
      throw Failure(
        .missingLocked, "none of the files given has the digest \(entry.digest)", at: "\(entry.name)@\(entry.version)")
    }
    var consent = consent
    consent.locked = lock
    return try steps.map { step in
      switch step {
      case .keep(let adapter): Installation(adapter: adapter, siteCount: nil, isNew: false, notes: [])
      case .take(let offer, let entry): try install(from: offer.path, as: entry.name, consent)
      }
    }
  }
}

extension Manifest.Dependency {
  fileprivate var reference: AdapterReference {
    get throws { AdapterReference(name, try range.map { .range(try VersionRange($0)) } ?? .highest) }
  }
}
