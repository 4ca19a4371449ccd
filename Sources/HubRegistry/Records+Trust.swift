import Foundation
import GRDB
import HubBundle
import HubWords

extension Records {
  /// False in a registry that an older version wrote: reading does not migrate.
  private var knowsTrust: Bool { get throws { try database.tableExists("keys") } }

  func keys() throws -> [TrustedKey] {
    guard try knowsTrust else { return [] }
    return try Row.fetchAll(database, sql: "SELECT name, key, addedAt FROM keys ORDER BY name").map { row in
      try decoding(row) {
        let key = try PublicKey(row.value("key", String.self))
        let prefixes = try String.fetchAll(
          database, sql: "SELECT prefix FROM keyPrefixes WHERE key = ? ORDER BY prefix", arguments: [key.hex])
        return TrustedKey(
          name: try AdapterName(row.value("name")), key: key, prefixes: prefixes,
          addedAt: Date(timeIntervalSince1970: try row.value("addedAt")))
      }
    }
  }

  func insert(_ key: TrustedKey) throws {
    try database.execute(
      sql: "INSERT INTO keys (key, name, addedAt) VALUES (?, ?, ?)",
      arguments: [key.key.hex, key.name.text, Int(key.addedAt.timeIntervalSince1970)])
    for prefix in key.prefixes {
      try database.execute(
        sql: "INSERT INTO keyPrefixes (key, prefix) VALUES (?, ?)", arguments: [key.key.hex, prefix])
    }
  }

  func deleteKey(_ name: AdapterName) throws {
    try database.execute(sql: "DELETE FROM keys WHERE name = ?", arguments: [name.text])
  }

  /// Who signed a name when it was last installed.
  func signers(of name: AdapterName) throws -> [SignerRecord] {
    guard try knowsTrust else { return [] }
    return try Row.fetchAll(
      database, sql: "SELECT name, key, version, digest FROM signers WHERE name = ? ORDER BY key",
      arguments: [name.text]
    )
    .map { row in
      try decoding(row) {
        SignerRecord(
          key: try PublicKey(row.value("key", String.self)),
          version: try SemanticVersion(row.value("version", String.self)),
          digest: try Digest(row.value("digest", String.self)))
      }
    }
  }

  func replaceSigners(of name: AdapterName, by signers: [SignerRecord]) throws {
    try database.execute(sql: "DELETE FROM signers WHERE name = ?", arguments: [name.text])
    for signer in signers {
      try database.execute(
        sql: "INSERT INTO signers (name, key, version, digest) VALUES (?, ?, ?, ?)",
        arguments: [name.text, signer.key.hex, signer.version.description, signer.digest.hex])
    }
  }

  /// The keys that signed an installed adapter, by the names of its files.
  func signers(of adapter: InstalledAdapter) throws -> [PublicKey] {
    let sql =
      "SELECT path FROM files WHERE role = 'signature' AND adapter = (SELECT id FROM adapters WHERE name = ? AND version = ?) ORDER BY path"
    return try String.fetchAll(database, sql: sql, arguments: [adapter.name.text, adapter.version.description])
      .compactMap(BundleSignature.key(inName:))
  }
}
