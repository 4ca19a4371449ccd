import Foundation
public import HubBundle
public import HubWords

extension Failure.Code {
  /// No such key is in the registry.
  public static let unknownKey = Self("trust/unknown-key", .notFound)
  /// The key, or another one of this name, is in the registry.
  public static let existingKey = Self("trust/key-exists", .refused)
}

extension Registry {
  /// The keys that the user trusts, by name.
  public func trustedKeys() throws -> [TrustedKey] {
    try reading { try $0.keys() } ?? []
  }

  /// Trusts a public key.
  ///
  /// - Parameter prefixes: what the names begin with that only this key may sign; none for a key that may sign all
  ///   others
  /// - Throws: ``Failure/Code/existingKey``.
  @discardableResult
  public func trust(_ key: PublicKey, as name: AdapterName, for prefixes: [String] = []) throws -> TrustedKey {
    try prepare()
    return try writing {
      let trusted = TrustedKey(name: name, key: key, prefixes: Set(prefixes).sorted(), addedAt: Date())
      if let other = try trustedKeys().first(where: { $0.name == name || $0.key == key }) {
        throw Failure(
          .existingKey, "\(other.key) is trusted already, as \(other.name)", at: name.text,
          hint: "hub keys remove \(other.name)")
      }
      try committing { try $0.insert(trusted) }
      return trusted
    }
  }

  /// Trusts a key no longer. What it signed stays installed.
  ///
  /// - Throws: ``Failure/Code/unknownKey``.
  @discardableResult
  public func distrust(_ name: String) throws -> TrustedKey {
    func find() throws -> TrustedKey {
      let keys = try trustedKeys()
      if let key = keys.first(where: { $0.name.text == name }) { return key }
      let near = nearest(to: name, among: keys.map(\.name.text))
      throw Failure(
        .unknownKey, "no key of this name is trusted", at: name,
        hint: near.isEmpty ? "hub keys list" : "did you mean \(near.joined(separator: ", "))?")
    }
    _ = try find()
    return try writing {
      let key = try find()
      try committing { try $0.deleteKey(key.name) }
      return key
    }
  }

  /// The keys that signed an installed adapter.
  public func signers(of adapter: InstalledAdapter) throws -> [PublicKey] {
    try reading { try $0.signers(of: adapter) } ?? []
  }
}
