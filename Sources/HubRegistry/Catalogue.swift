import HubArchive
public import HubWords

extension Failure.Code {
  /// Nothing in a file or folder is an entry of AdapterHub's index.
  public static let noCatalogue = Self("catalogue/none", .badData)
}

/// An adapter that somebody offers elsewhere, as AdapterHub's index describes it.
public struct CatalogueEntry: Hashable, Sendable {
  /// What AdapterHub calls it, such as `@ukp/bert-base-uncased_sentiment_sst-2_pfeiffer`.
  public let id: String
  /// Who offers it.
  public let publisher: String
  /// A task, or the tag of a language.
  public let task: String
  /// The data set that it was trained on, or what else tells it from others of the task.
  public let subtask: String
  /// The name of the base model.
  public let base: String
  /// The method as AdapterHub calls it.
  public let method: String
  /// Where the archive is; `nil` if the entry names none.
  public let url: String?
  /// The digest of the archive at the URL.
  public let sha256: Digest?

  /// How AdapterHub refers to it, with whatever else is the same in task and publisher.
  public var reference: String { "\(task)/\(subtask)@\(publisher)" }
}

extension CatalogueEntry {
  /// An entry of the index in the form that AdapterHub builds, a file for each adapter; `nil` for its other files.
  init?(_ json: JSON) throws {
    guard let members = json["info"]?.object, json["files"]?.object != nil else { return nil }
    let (object, info) = (try JSONObject(json), JSONObject(members, path: "info"))
    id = try Self.text(info, "adapter_id")
    publisher = try Self.text(info, "username")
    task = try Self.text(info, "task")
    subtask = try Self.text(info, "subtask")
    base = try Self.text(info, "model_name")
    let configuration = info.members["adapter_config"]
    method =
      configuration?["mh_adapter"] == true && configuration?["output_adapter"] == true ? "double_seq_bn" : "seq_bn"
    let versions = try object.object("files")
    let file = try versions.optionalObject(object.optionalString("default_version") ?? "1")
    url = try file.flatMap { try $0.optionalString("url") }.map { try Self.checked($0, "files.url") }
    sha256 = try file?.optionalString("sha256").map { try Digest($0) }
  }

  private static func text(_ object: JSONObject, _ key: String) throws -> String {
    try checked(object.string(key), object.path(to: key))
  }

  private static func checked(_ text: String, _ path: String) throws -> String {
    guard (1...InputLimits.nameBytes).contains(text.utf8.count) else {
      throw Failure(.unexpectedJSON, "expected a text of 1 to \(InputLimits.nameBytes) bytes", at: path)
    }
    return text
  }
}

extension CatalogueEntry {
  /// All entries in the index of AdapterHub, as it is built, in a folder or an archive. Of entries with one name the
  /// last.
  ///
  /// - Throws: ``Failure/Code/noCatalogue``; what is wrong with an entry.
  static func entries(in path: String) throws -> [CatalogueEntry] {
    var found: [String: CatalogueEntry] = [:]
    func add(_ name: EntryName, _ bytes: () throws -> [UInt8]) throws {
      guard name.last.hasSuffix(".json") else { return }
      let entry = try locating("\(path): \(name)") { try CatalogueEntry(JSON(parsing: try bytes())) }
      if let entry { found[entry.id] = entry }
    }
    if let root = try? OpenFile(folder: path) {
      for (name, isFolder) in try root.contents() where !isFolder {
        try add(name) { try OpenFile(reading: name, below: root).bytes(limit: InputLimits.jsonBytes) }
      }
    } else {
      let reader = try ArchiveReader(file: path)
      while let entry = try reader.next() {
        if !entry.isFolder { try add(entry.name) { try reader.contents(limit: InputLimits.jsonBytes) } }
      }
    }
    guard !found.isEmpty else {
      throw Failure(
        .noCatalogue, "nothing in the folder is an entry of AdapterHub's index", at: path,
        hint: "give the built index, with a JSON file for each adapter")
    }
    return found.values.sorted { $0.id < $1.id }
  }
}
