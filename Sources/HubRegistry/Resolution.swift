public import HubBundle
import HubWords

/// What a reference came to, and why.
public struct Resolution: Sendable {
  /// An adapter that was looked at.
  public struct Candidate: Sendable {
    /// The adapter.
    public let adapter: InstalledAdapter
    /// Why it is not the one; `nil` for the one.
    public let objection: String?
  }

  /// The adapter that the reference means.
  public let chosen: InstalledAdapter
  /// The chosen one first, then the others by name and version.
  public let candidates: [Candidate]
}

extension Registry {
  /// The adapter that is meant by a reference, a filter or both: the highest version of the one name that is left.
  ///
  /// - Throws: ``Failure/Code/unknownAdapter`` with what was looked at; ``Failure/Code/ambiguousReference`` if several
  ///   names, or several digests that begin alike, are left.
  public func resolution(
    of reference: AdapterReference?, _ filter: AdapterFilter = AdapterFilter()
  ) throws -> Resolution {
    guard let reference else { return try resolution(among: list(filter), of: "what was asked for") }
    let known = try reading { records in
      let named = try records.adapters(meantBy: reference)
      let passing = try filter.parts.map { (text: $0.text, digests: try records.digests($0.filter, of: named)) }
      return (named: named, passing: passing)
    }
    let named = known?.named ?? []
    let judged = named.map { adapter in
      let objection =
        reference.mismatch(of: adapter) ?? known?.passing.first { !$0.digests.contains(adapter.digest) }?.text
      return Resolution.Candidate(adapter: adapter, objection: objection)
    }
    let matches = judged.filter { $0.objection == nil }.map(\.adapter)
    guard let match = matches.first else {
      throw Self.unknown(reference, judged, names: try reading { try $0.names() } ?? [])
    }
    if case .digest = reference.selector, Set(matches.map(\.digest)).count > 1 {
      throw Self.ambiguous("several versions begin with these digits", reference.description, matches)
    }
    return Resolution(match, of: judged)
  }

  private func resolution(among matches: [InstalledAdapter], of subject: String) throws -> Resolution {
    guard let match = matches.first else {
      throw Failure(.unknownAdapter, "no such adapter is installed", at: subject, hint: "hub list, or hub search")
    }
    guard matches.allSatisfy({ $0.name == match.name }) else {
      throw Self.ambiguous("several adapters match", subject, matches)
    }
    return Resolution(match, of: matches.map { Resolution.Candidate(adapter: $0, objection: nil) })
  }

  /// The adapter of a language that takes the place of the one that a task adapter was trained over: of the same base,
  /// and of the same name if the task adapter asks for this very language. One without any language is taken by its
  /// name.
  public func languageAdapter(_ tag: String, under task: InstalledAdapter) throws -> InstalledAdapter {
    let base = task.manifest.base
    var filter = AdapterFilter(kind: .language, base: base.fingerprint?.description ?? base.name ?? base.architecture)
    let fitting = try list(filter).filter {
      $0.manifest.base.architecture == base.architecture && $0.manifest.base.hiddenSize == base.hiddenSize
    }
    filter.language = tag
    let tagged = Set(try list(filter).map(\.reference))
    let speaking = fitting.filter {
      tagged.contains($0.reference) || ($0.manifest.languages.isEmpty && $0.name.last == tag)
    }
    let wanted = task.manifest.dependencies.filter { $0.role == "language" }
    let named = speaking.filter { adapter in wanted.contains { $0.isMet(by: adapter) } }
    return try resolution(among: named.isEmpty ? speaking : named, of: "language \(tag) for \(task.reference)").chosen
  }
}

extension AdapterName {
  /// The last component.
  fileprivate var last: String { text.split(separator: "/").last.map(String.init) ?? text }
}

extension Resolution {
  fileprivate init(_ chosen: InstalledAdapter, of judged: [Candidate]) {
    let others = judged.filter { $0.adapter.reference != chosen.reference }
      .map { Candidate(adapter: $0.adapter, objection: $0.objection ?? "\(chosen.version) is higher") }
    self.init(chosen: chosen, candidates: [Candidate(adapter: chosen, objection: nil)] + others)
  }
}

extension Manifest.Dependency {
  /// Whether an adapter is one that will do. The range was checked when the manifest was read.
  public func isMet(by adapter: InstalledAdapter) -> Bool {
    guard adapter.name == name else { return false }
    return range.map { (try? VersionRange($0))?.contains(adapter.version) ?? false } ?? true
  }
}

extension Records {
  /// All versions of what a reference names, itself or by an alias.
  func adapters(meantBy reference: AdapterReference) throws -> [InstalledAdapter] {
    if case .publisher = reference.selector { return try alias(reference.description).map(adapters(named:)) ?? [] }
    let named = try adapters(named: reference.name)
    return try named.isEmpty ? alias(reference.name.text).map(adapters(named:)) ?? [] : named
  }

  /// The digests of those among some versions of one adapter that pass a filter.
  fileprivate func digests(_ filter: AdapterFilter, of adapters: [InstalledAdapter]) throws -> Set<Digest> {
    var filter = filter
    filter.namePrefix = adapters.first?.name.text
    return Set(try self.adapters(filter).map(\.digest))
  }
}
