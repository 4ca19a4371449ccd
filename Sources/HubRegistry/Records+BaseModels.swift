import Foundation
import GRDB
import HubBundle
import HubWords

extension Records {
  /// All base models, by name.
  func models() throws -> [BaseModelRecord] {
    let sql =
      "SELECT name, folder, isCopied, architecture, hiddenSize, layers, fingerprint, addedAt FROM models ORDER BY name"
    return try Row.fetchAll(database, sql: sql).map(model)
  }

  func insert(_ model: BaseModelRecord) throws {
    let description = model.description
    try database.execute(
      sql: """
        INSERT INTO models (name, folder, isCopied, architecture, hiddenSize, layers, fingerprint, addedAt)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        model.name.text, model.folder, model.isCopied, description.architecture, description.hiddenSize,
        description.layers,
        description.fingerprint.hex, Int(model.addedAt.timeIntervalSince1970),
      ])
    for file in model.files {
      try database.execute(
        sql: "INSERT INTO modelFiles (model, path, size, modified, digest) VALUES (?, ?, ?, ?, ?)",
        arguments: [model.name.text, file.path, file.size, file.modified, file.digest?.hex])
    }
  }

  /// Takes over when files were changed last.
  func update(_ files: [BaseModelRecord.File], of model: AdapterName) throws {
    for file in files {
      try database.execute(
        sql: "UPDATE modelFiles SET modified = ? WHERE model = ? AND path = ? AND digest = ?",
        arguments: [file.modified, model.text, file.path, file.digest?.hex])
    }
  }

  func deleteModel(_ name: AdapterName) throws {
    try database.execute(sql: "DELETE FROM models WHERE name = ?", arguments: [name.text])
  }

  private func model(_ row: Row) throws -> BaseModelRecord {
    try decoding(row) {
      let name = try AdapterName(row.value("name"))
      let files = try Row.fetchAll(
        database, sql: "SELECT * FROM modelFiles WHERE model = ? ORDER BY path", arguments: [name.text])
      return BaseModelRecord(
        name: name, folder: try row.value("folder"), isCopied: try row.value("isCopied"),
        description: BaseModelRecord.Description(
          architecture: try row.value("architecture"), hiddenSize: try row.value("hiddenSize"),
          layers: try row.value("layers"),
          fingerprint: try Digest(row.value("fingerprint", String.self))),
        files: try files.map {
          BaseModelRecord.File(
            path: try $0.value("path"), size: try $0.value("size"), modified: try $0.value("modified"),
            digest: try ($0["digest"] as String?).map { try Digest($0) })
        },
        addedAt: Date(timeIntervalSince1970: try row.value("addedAt")))
    }
  }
}
