import HubWords
import HubWeights

/// Where the members of a composition lie, each as a bundle in a folder.
struct MemberFolders: Sendable {
  private let folders: Set<String>

  init(of manifest: Manifest) { folders = Set(manifest.composed.map { Self.folder(of: $0.digest) }) }

  static func folder(of digest: Digest) -> String { "members/\(digest.hex)/" }

  /// Whether a path belongs to a member, whose own manifest lists it.
  func hold(_ path: String) -> Bool {
    !folders.isEmpty && folders.contains(String(path.prefix(folders.first?.count ?? 0)))
  }
}

extension Bundle {
  /// Whether a path belongs to a member, whose own manifest lists it.
  package func isMemberFile(_ path: String) -> Bool { memberFolders.hold(path) }

  /// Opens the members of a composition.
  ///
  /// - Parameter isMember: whether the composition is one itself, which it must not be
  static func members(
    of manifest: Manifest, in folder: String, files: [String: MappedFile], isMember: Bool
  ) throws -> [Bundle] {
    guard !isMember else { throw Failure(.malformedPinning, "a composition cannot be a member of another one") }
    return try manifest.composed.map { member in
      let place = MemberFolders.folder(of: member.digest)
      guard files[place + manifestName] != nil else {
        throw Failure(.missingBundleFile, "a member of the composition is missing", at: place + manifestName)
      }
      return try locating(String(place.dropLast())) {
        let bundle = try Bundle("\(folder)/\(place.dropLast())", isMember: true)
        guard bundle.digest == member.digest else {
          throw Failure(
            .changedBundleFile, "the member has the digest \(bundle.digest), but the manifest says \(member.digest)")
        }
        return bundle
      }
    }
  }

  /// Checks that a composition is made of its members, of all of them, and of nothing else.
  func checkComposition() throws {
    func check(_ condition: Bool, _ message: String, at subject: String) throws {
      guard condition else { throw Failure(.malformedPinning, message, at: subject) }
    }
    let pinned = try PinnedComposition(config)
    try check(
      weights.tensors.isEmpty && head == nil && probe == nil,
      "a composition cannot have weights, a head or a probe of its own",
      at: manifest.name.text)
    for (member, bundle) in zip(manifest.composed, members) {
      let base = bundle.manifest.base
      try check(
        bundle.manifest.version == member.version,
        "the member has the version \(bundle.manifest.version), but the manifest says \(member.version)",
        at: member.reference)
      let isSameBase = base.architecture == manifest.base.architecture && base.hiddenSize == manifest.base.hiddenSize
      try check(isSameBase, "the member is for another base model", at: member.reference)
    }
    let references = manifest.composed.map(\.reference)
    try check(
      pinned.references == Set(references), "the setup does not name exactly the members",
      at: "\(pinned.setup)")
    let named = Dictionary(zip(references, members)) { first, _ in first }
    for reference in pinned.setup.leaves {
      try check(named[reference]?.manifest.kind != .fusion, "expected an adapter, found a fusion", at: reference)
    }
    for (children, name) in pinned.setup.fusions {
      let fused = Composition.members(of: children).map { String($0.prefix { $0 != "@" }) }
      let fusion = named[name ?? ""]?.manifest
      let isOfThem = fusion?.kind == .fusion && fusion?.members.map(\.text) == fused
      try check(isOfThem, "this is not a fusion of \(fused.joined(separator: ", "))", at: name ?? "\(pinned.setup)")
    }
  }
}
