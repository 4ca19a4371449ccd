public import Foundation
public import HubBundle
public import HubWords

extension Failure.Code {
  /// Nobody whom the user trusts for this name signed the bundle.
  public static let untrustedBundle = Self("trust/untrusted", .refused)
  /// A name that somebody signed once comes without a signature, or with another one.
  public static let otherSigner = Self("trust/other-signer", .refused)
  /// A signed name comes in a lower version than before, or in the same version with another content.
  public static let rollback = Self("trust/rollback", .refused)
}

/// A public key that the user trusts.
public struct TrustedKey: Hashable, Sendable {
  /// What the user calls its holder.
  public let name: AdapterName
  /// The public key.
  public let key: PublicKey
  /// What the names begin with that only this key, and others with the same, may sign. Without any, the key may sign
  /// all names but those.
  public let prefixes: [String]
  /// When the user began to trust it.
  public let addedAt: Date

  /// Whether names of this kind were given to the key.
  func owns(_ name: AdapterName) -> Bool { prefixes.contains { name.text.utf8.starts(with: $0.utf8) } }
}

/// Who signed a name when it was last installed, and the highest version so far. It outlives the adapter.
struct SignerRecord: Hashable, Sendable {
  let key: PublicKey
  let version: SemanticVersion
  let digest: Digest
}

/// What the user asks of an installation beyond the rules, and what the user lets pass. Only a person says so.
public struct Consent: Hashable, Sendable {
  /// Take only what a trusted key signed.
  public var requiresSignature = false
  /// Take a lower version of a signed name than was installed before.
  public var allowsDowngrade = false
  /// Accept a name that another key signed before.
  public var allowsOtherSigner = false
  /// Take what is locked and nothing else, signed by all who signed it then.
  var locked: Lock?

  public init() {}

  func checkLock(_ bundle: HubBundle.Bundle, as name: AdapterName) throws {
    guard let locked else { return }
    guard let entry = locked.entries.first(where: { $0.name == name && $0.version == bundle.manifest.version }) else {
      throw Failure(.otherContent, "version \(bundle.manifest.version) was not locked", at: name.text)
    }
    let missing = Set(entry.signers).subtracting(bundle.signatures.map(\.key))
    guard bundle.digest == entry.digest, missing.isEmpty else {
      let signers =
        missing.isEmpty ? "" : ", without the signature of \(missing.sorted().map(\.short).joined(separator: ", "))"
      throw Failure(
        .otherContent, "this is \(bundle.digest.short)\(signers), and \(entry.digest.short) was locked", at: name.text)
    }
  }
}

/// The rules by which signatures are believed, as a function of what is known.
struct Trust {
  let keys: [TrustedKey]
  /// Who signed the name before.
  let signers: [SignerRecord]

  /// Who may sign a name: those to whom it was given, or else all keys that are given no names.
  private func trusted(for name: AdapterName) -> (keys: [TrustedKey], isOwned: Bool) {
    let owners = keys.filter { $0.owns(name) }
    return owners.isEmpty ? (keys.filter(\.prefixes.isEmpty), false) : (owners, true)
  }

  /// Decides whether a bundle may be installed under a name.
  ///
  /// - Parameters:
  ///   - isInstalled: whether exactly this content is there already, which then is not a step back
  /// - Returns: what to remember of the name from now on.
  func admit(
    _ bundle: HubBundle.Bundle, as name: AdapterName, isInstalled: Bool, _ consent: Consent
  ) throws -> [SignerRecord] {
    let signed = Set(bundle.signatures.map(\.key))
    var isOwned = false
    // The name that the bundle bears is a claim as much as the one that it gets here.
    for name in [name, bundle.manifest.name] {
      let trusted = trusted(for: name)
      guard trusted.keys.contains(where: { signed.contains($0.key) }) || !(trusted.isOwned || consent.requiresSignature)
      else {
        throw untrusted(name, trusted.keys, isSigned: !signed.isEmpty)
      }
      isOwned = isOwned || trusted.isOwned
    }
    let isSame = isInstalled || signers.isEmpty || signers.contains { signed.contains($0.key) }
    guard isSame || isOwned || consent.allowsOtherSigner else { throw otherSigner(name, isSigned: !signed.isEmpty) }
    guard !isInstalled else {
      let known = Set(signers.map(\.key))
      return signers
        + signed.subtracting(known).sorted().map {
          SignerRecord(key: $0, version: bundle.manifest.version, digest: bundle.digest)
        }
    }
    let shared = signers.filter { signed.contains($0.key) }
    let before = shared.isEmpty && !consent.allowsOtherSigner ? signers : shared
    if !consent.allowsDowngrade, let highest = before.max(by: { $0.version < $1.version }) {
      try checkStep(from: highest, to: bundle.manifest.version, bundle.digest, name)
    }
    return signed.sorted().map { key in
      guard let last = shared.first(where: { $0.key == key }), bundle.manifest.version <= last.version else {
        return SignerRecord(key: key, version: bundle.manifest.version, digest: bundle.digest)
      }
      return last
    }
  }

  private func checkStep(
    from last: SignerRecord, to version: SemanticVersion, _ digest: Digest, _ name: AdapterName
  ) throws {
    guard version >= last.version else {
      throw Failure(
        .rollback, "version \(last.version) of this signed adapter was installed before, and this is \(version)",
        at: name.text,
        hint: "accept the older one with --allow-downgrade")
    }
    guard version > last.version || digest == last.digest else {
      throw Failure(
        .rollback,
        "another signed adapter was installed before as version \(version): \(last.digest.short), and this is \(digest.short)",
        at: name.text, hint: "accept this one with --allow-downgrade")
    }
  }

  private func untrusted(_ name: AdapterName, _ keys: [TrustedKey], isSigned: Bool) -> Failure {
    let names = keys.map(\.name.text).joined(separator: ", ")
    return Failure(
      .untrustedBundle,
      isSigned ? "the bundle is not signed by anybody trusted for this name" : "the bundle is not signed",
      at: name.text,
      hint: names.isEmpty ? "trust a key with hub keys add NAME KEY" : "this name may be signed by \(names)")
  }

  private func otherSigner(_ name: AdapterName, isSigned: Bool) -> Failure {
    let keys = signers.map(\.key.short).joined(separator: ", ")
    return Failure(
      .otherSigner,
      isSigned
        ? "this name was signed by another key before: \(keys)"
        : "this name was signed before, by \(keys), and this bundle is not signed",
      at: name.text, hint: "if you know why, accept it with --allow-other-signer")
  }
}
