import GRDB
public import HubBundle
public import HubWords

extension Failure.Code {
  /// An installed composition is made of the adapter.
  public static let neededAdapter = Self("registry/needed", .refused)
  /// A member of an installed composition is not installed, or another adapter is in its place.
  public static let missingMember = Self("registry/missing-member", .badData)
}

extension Registry {
  /// Puts what installed compositions stand for in the place of their names.
  ///
  /// - Returns: also the adapter whose head answers, if a composition that stands alone names one
  /// - Throws: ``Failure/Code/missingMember``. Names that mean nothing stay as they are.
  public func expanded(_ composition: Composition) throws -> (setup: Composition, head: String?) {
    if case .adapter(let reference) = composition, let pinned = try pinned(reference) {
      return (pinned.setup, pinned.head)
    }
    let setup = try composition.replacing { reference in
      guard let pinned = try pinned(reference) else { return .adapter(reference) }
      guard pinned.head == nil else {
        throw Failure(
          .forbiddenNesting, "a composition that says whose head answers cannot be part of another one", at: reference)
      }
      return pinned.setup
    } fusion: {
      $1
    }
    return (setup, nil)
  }

  /// What an installed composition is made of; `nil` if the reference means something else.
  private func pinned(_ reference: String) throws -> PinnedComposition? {
    guard let adapter = try? resolve(AdapterReference(reference)), adapter.manifest.kind == .composition else {
      return nil
    }
    _ = try members(of: adapter)
    return try locating(adapter.reference) { try PinnedComposition(adapter.config()) }
  }

  /// The members of a composition, in the order of its manifest; none of another adapter.
  ///
  /// - Throws: ``Failure/Code/missingMember``.
  public func members(of adapter: InstalledAdapter) throws -> [InstalledAdapter] {
    try adapter.manifest.composed.map { member in
      let installed = try reading { try $0.adapters(named: member.name) } ?? []
      guard let found = installed.first(where: { $0.digest == member.digest }) else {
        throw Failure(
          .missingMember, "the member \(member.reference) is no longer installed as it was packed",
          at: adapter.reference,
          hint: "install the bundle of \(adapter.name) again")
      }
      return found
    }
  }

  /// An installed adapter as it comes to stand in a composition, with its signatures.
  public func packable(_ adapter: InstalledAdapter) throws -> BundleBuilder.Member {
    let files = try reading { try $0.files(of: adapter) } ?? []
    return BundleBuilder.Member(
      digest: adapter.digest, files: try files.map { ($0.path, try store.open($0.digest, size: $0.size)) })
  }
}

extension Records {
  private var knowsMembers: Bool { get throws { try database.tableExists("members") } }

  func insert(_ members: [Manifest.Member], of composition: Int64) throws {
    for member in members {
      try database.execute(
        sql: "INSERT INTO members (composition, name, version, digest) VALUES (?, ?, ?, ?)",
        arguments: [composition, member.name.text, member.version.description, member.digest.hex])
    }
  }

  /// References to the compositions that an adapter is a member of.
  func compositions(of adapter: InstalledAdapter) throws -> [String] {
    let sql = """
      SELECT adapters.name || '@' || adapters.version FROM members JOIN adapters ON adapters.id = composition
      WHERE members.name = ? AND members.version = ? AND members.digest = ? ORDER BY 1
      """
    return try String.fetchAll(
      database, sql: sql, arguments: [adapter.name.text, adapter.version.description, adapter.digest.hex])
  }

  /// References to the members of a composition.
  func members(of composition: Int) throws -> Set<String> {
    guard try knowsMembers else { return [] }
    return try String.fetchSet(
      database, sql: "SELECT name || '@' || version FROM members WHERE composition = ?", arguments: [composition])
  }
}
