import Foundation
import GRDB
import HubBundle
import HubWords
import HubWeights

/// Something that is not as it was installed.
public struct Finding: Hashable, Sendable {
  /// `missing`, `modified`, `mode`, `extra`, `index`, `model`, `probe`.
  public let kind: String
  /// The adapter, model or path.
  public let subject: String
  /// One sentence, lower case, no full stop.
  public let message: String

  public init(kind: String, subject: String, message: String) {
    (self.kind, self.subject, self.message) = (kind, subject, message)
  }
}

/// What ``Registry/verify()`` looked at and found.
public struct Verification: Sendable {
  /// How many adapters were compared.
  public internal(set) var adapters = 0
  /// How many files were read.
  public internal(set) var files = 0
  /// How many base models were looked at.
  public internal(set) var models = 0
  /// Everything that is not as it was; empty if all is well.
  public internal(set) var findings: [Finding] = []

  mutating func add(_ kind: String, _ subject: String, _ message: String) {
    findings.append(Finding(kind: kind, subject: subject, message: message))
  }
}

extension Registry {
  /// Compares everything with what was installed: each byte of each file, the modes, the index, the base models.
  ///
  /// - Returns: all findings, not only the first.
  /// - Throws: ``Failure`` if the index cannot be read at all.
  public func verify() throws -> Verification {
    var result = Verification()
    for fault in try index.faults() { result.add("index", index.path, fault) }
    if try !exists && !store.names().isEmpty {
      result.add("index", index.path, "the index is missing, but there are files")
    }
    let entries = try reading { try $0.entries() } ?? []
    let installed = Set(
      entries.map { Manifest.Member(name: $0.adapter.name, version: $0.adapter.version, digest: $0.adapter.digest) })
    var checked: [Digest: [(kind: String, message: String)]] = [:]
    for entry in entries {
      result.adapters += 1
      for file in entry.files {
        let faults = checked[file.digest] ?? faults(of: file)
        if checked.updateValue(faults, forKey: file.digest) == nil { result.files += 1 }
        for fault in faults { result.add(fault.kind, "\(entry.adapter.reference): \(file.path)", fault.message) }
      }
      for member in entry.adapter.manifest.composed where !installed.contains(member) {
        result.add(
          "missing", entry.adapter.reference, "its member \(member.reference) (\(member.digest.short)) is not installed"
        )
      }
      for fault in faults(of: entry) { result.add("index", entry.adapter.reference, fault) }
    }
    for name in try store.names() where store.digest(of: name) == nil {
      result.add("extra", "\(store.folder)/\(name)", "the file does not belong here")
    }
    for model in try baseModels() {
      result.models += 1
      for path in model.changedFiles {
        let isNew = !model.files.contains { $0.path == path }
        result.add(
          "model", "\(model.name): \(model.folder)/\(path)",
          isNew
            ? "the file appeared since the model was added, and would be read in the place of another"
            : "the file was changed since the model was added")
      }
    }
    return result
  }

  private func faults(of file: Manifest.File) -> [(kind: String, message: String)] {
    let path = store.path(of: file.digest)
    guard let status = FileStatus(path) else { return [("missing", "the file is missing")] }
    guard status.isFile else { return [("modified", "something else is in the file's place")] }
    var faults: [(kind: String, message: String)] = []
    if status.mode != BlobStore.mode {
      faults.append(("mode", "the file has mode \(octal(status.mode)) instead of \(octal(BlobStore.mode))"))
    }
    if !store.isShared, !status.isOwnedByUs { faults.append(("mode", "the file belongs to another user")) }
    do {
      _ = try store.open(file.digest, size: file.size)
    } catch let failure as Failure {
      faults.append(
        ("modified", failure.code == .damagedBlob ? "the content is not what was installed" : failure.message))
    } catch {
      faults.append(("modified", "the file cannot be read"))
    }
    return faults
  }

  /// What the index says of an adapter, against the adapter's own manifest.
  private func faults(of entry: Records.Entry) -> [String] {
    let adapter = entry.adapter
    guard let file = entry.files.first(where: { $0.digest == adapter.digest }),
      let stored = try? store.open(file.digest, size: file.size)
    else { return entry.files.contains { $0.digest == adapter.digest } ? [] : ["the index does not list the manifest"] }
    guard let manifest = try? stored.withBytes({ try Manifest(parsing: Array($0)) }), manifest == adapter.manifest
    else {
      return ["the index holds another manifest than the files"]
    }
    let listed = Set(
      entry.files.filter { !["manifest", "signature"].contains($0.role.rawValue) }.map {
        "\($0.path) \($0.size) \($0.digest)"
      })
    let expected = Set(manifest.files.map { "\($0.path) \($0.size) \($0.digest)" })
    return (listed == expected ? [] : ["the index lists other files than the manifest"])
      + (entry.agreesWithManifest ? [] : ["the columns of the index disagree with the manifest"])
  }

  private func octal(_ mode: mode_t) -> String { String(mode, radix: 8) }
}

extension Records {
  /// All that the index holds of one adapter.
  struct Entry {
    let adapter: InstalledAdapter
    let files: [Manifest.File]
    let agreesWithManifest: Bool
  }

  func entries() throws -> [Entry] {
    try adapters().map { adapter in
      let key: StatementArguments = [adapter.name.text, adapter.version.description]
      let manifest = adapter.manifest
      let columns = try Row.fetchOne(
        database,
        sql: """
          SELECT id, version, kind, method, task, architecture, baseName, hiddenSize, fingerprint FROM adapters
          WHERE name = ? AND version = ?
          """, arguments: key)
      guard let columns else { return Entry(adapter: adapter, files: [], agreesWithManifest: false) }
      let id = try columns.value("id", Int.self)
      let stored = columns.databaseValues.dropFirst()
      let expected: [DatabaseValue] = [
        manifest.version.description.databaseValue, manifest.kind.rawValue.databaseValue, manifest.method.databaseValue,
        manifest.task.databaseValue, manifest.base.architecture.databaseValue, manifest.base.name.databaseValue,
        manifest.base.hiddenSize.databaseValue, (manifest.base.fingerprint?.hex).databaseValue,
      ]
      let composed = try members(of: id),
        tags = try String.fetchSet(database, sql: "SELECT tag FROM languages WHERE adapter = ?", arguments: [id])
      return Entry(
        adapter: adapter, files: try files(of: id),
        agreesWithManifest: try stored.elementsEqual(expected) && tags == Set(manifest.languages)
          && composed == Set(manifest.composed.map(\.reference))
          && SearchWords(about: adapter.name, manifest).agree(with: id, in: database))
    }
  }

  /// The files of an installed adapter, by name.
  func files(of adapter: InstalledAdapter) throws -> [Manifest.File] {
    let key: StatementArguments = [adapter.name.text, adapter.version.description]
    return try Int.fetchOne(database, sql: "SELECT id FROM adapters WHERE name = ? AND version = ?", arguments: key)
      .map(files) ?? []
  }

  private func files(of adapter: Int) throws -> [Manifest.File] {
    try Row.fetchAll(
      database, sql: "SELECT path, role, size, digest FROM files WHERE adapter = ? ORDER BY path", arguments: [adapter]
    ).map(file)
  }

  func file(_ row: Row) throws -> Manifest.File {
    Manifest.File(
      path: try row.value("path"), role: Manifest.Role(rawValue: try row.value("role")), size: try row.value("size"),
      digest: try Digest(row.value("digest", String.self)))
  }
}
