import HubBundle
public import HubWords

extension Failure.Code {
  /// No such adapter is installed.
  public static let unknownAdapter = Self("registry/unknown-adapter", .notFound)
  /// More than one installed adapter could be meant.
  public static let ambiguousReference = Self("registry/ambiguous", .usage)
}

extension Registry {
  /// The installed adapters that pass a filter, by name, the highest version first.
  ///
  /// - Parameter limit: how many at most, the first by name
  public func list(_ filter: AdapterFilter = AdapterFilter(), limit: Int = .max) throws -> [InstalledAdapter] {
    try reading { try $0.adapters(filter, limit: limit) } ?? []
  }

  /// The adapter that a reference means. Of several versions, a bare name means the highest.
  ///
  /// - Throws: ``Failure/Code/unknownAdapter`` with the names that come nearest, or
  ///   ``Failure/Code/ambiguousReference`` if a digest is cut too short.
  public func resolve(_ reference: AdapterReference) throws -> InstalledAdapter {
    try resolution(of: reference).chosen
  }

  /// The fusion that was trained over these adapters in this order. Of several versions, the highest.
  ///
  /// - Parameters:
  ///   - members: names, as in the manifest of the fusion
  ///   - name: a reference that picks one of several such fusions
  /// - Throws: ``Failure/Code/unknownAdapter``; ``Failure/Code/ambiguousReference`` with the candidates.
  public func resolveFusion(members: [String], name: String? = nil) throws -> InstalledAdapter {
    let fusions = try list(AdapterFilter(kind: .fusion))
    let listed = members.joined(separator: ", ")
    if let name {
      let fusion = try resolve(AdapterReference(name))
      guard fusion.manifest.members.map(\.text) == members else {
        let own = fusion.manifest.members.map(\.text).joined(separator: ", ")
        throw Failure(
          .unknownAdapter, "this is not a fusion of \(listed)", at: fusion.reference,
          hint: own.isEmpty ? nil : "it was trained over \(own)")
      }
      return fusion
    }
    let matches = fusions.filter { $0.manifest.members.map(\.text) == members }
    guard let match = matches.first else {
      let reordered = fusions.first { $0.manifest.members.map(\.text).sorted() == members.sorted() }
      throw Failure(
        .unknownAdapter, "no fusion over \(listed) is installed", at: "fuse(\(listed))",
        hint: reordered.map {
          "\($0.reference) was trained over \($0.manifest.members.map(\.text).joined(separator: ", "))"
        })
    }
    guard matches.allSatisfy({ $0.name == match.name }) else {
      throw Self.ambiguous(
        "several fusions over these adapters are installed", "fuse(\(listed))", matches, hint: "add name=")
    }
    return match
  }

  static func ambiguous(
    _ message: String, _ subject: String, _ candidates: [InstalledAdapter], hint: String = ""
  ) -> Failure {
    let list = candidates.map { "\($0.reference) (\($0.digest.short))" }.joined(separator: ", ")
    return Failure(
      .ambiguousReference, message, at: subject, hint: (hint.isEmpty ? "" : "\(hint) ") + "one of: \(list)")
  }

  static func unknown(_ reference: AdapterReference, _ judged: [Resolution.Candidate], names: [String]) -> Failure {
    if !judged.isEmpty {
      let list = judged.map { "\($0.adapter.reference) (\($0.adapter.digest.short)): \($0.objection ?? "")" }.joined(
        separator: "\n")
      return Failure(
        .unknownAdapter, "no installed version matches", at: reference.description, hint: list)
    }
    let near = nearest(to: reference.name.text, among: names)
    let hint =
      near.isEmpty ? (names.isEmpty ? "hub install FILE" : "hub list") : "did you mean \(near.joined(separator: ", "))?"
    return Failure(.unknownAdapter, "no such adapter is installed", at: reference.description, hint: hint)
  }
}
