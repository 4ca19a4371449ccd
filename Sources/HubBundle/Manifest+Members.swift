public import HubWords

extension Manifest {
  /// An adapter inside a composition: exactly this one.
  public struct Member: Hashable, Sendable {
    /// The name it has inside the composition.
    public let name: AdapterName
    /// Exactly this version.
    public let version: SemanticVersion
    /// The digest of its manifest.
    public let digest: Digest

    public init(name: AdapterName, version: SemanticVersion, digest: Digest) {
      (self.name, self.version, self.digest) = (name, version, digest)
    }

    /// What the text of the composition calls it.
    public var reference: String { "\(name)@\(version)" }
  }

  /// The adapters inside a composition; none for any other kind.
  public var composed: [Member] { kind == .composition ? dependencies.compactMap(\.member) : [] }

  func checkMembers() throws {
    func check(_ condition: Bool, _ message: String) throws {
      guard condition else { throw Failure(.invalidManifest, message, at: "dependencies") }
    }
    let count = dependencies.count { $0.role == Dependency.memberRole }
    try check((1...InputLimits.members).contains(count), "a composition must have 1 to \(InputLimits.members) members")
    try check(composed.count == count, "a member must have a digest, and = with the full version as its range")
    try check(Set(composed.map(\.reference)).count == count, "a member is listed twice")
    try check(!composed.contains { $0.name == name && $0.version == version }, "the composition is a member of itself")
  }
}

extension Manifest.Dependency {
  static let memberRole = "member"

  public init(_ member: Manifest.Member) {
    self.init(name: member.name, range: "=\(member.version)", role: Self.memberRole, digest: member.digest)
  }

  /// Exactly which one, if it is inside a composition.
  public var member: Manifest.Member? {
    guard role == Self.memberRole, let digest, let range, range.first == "=",
      let version = try? SemanticVersion(String(range.dropFirst()))
    else {
      return nil
    }
    return Manifest.Member(name: name, version: version, digest: digest)
  }
}
