import HubArchive
public import HubWords

extension Manifest {
  /// Reads `manifest.json`. The format is looked at before anything else.
  ///
  /// - Throws: ``Failure`` with codes `manifest/...`, `json/...`, `name/malformed`, `version/malformed` or
  ///   `digest/malformed`, at the key.
  public init(parsing bytes: some Collection<UInt8>) throws {
    try self.init(JSONObject(try JSON(parsing: bytes)))
  }

  /// Reads a manifest.
  ///
  /// - Throws: ``Failure`` that names the key: missing, of another type, or out of range.
  public init(_ object: JSONObject) throws {
    try Self.checkFormat(object)
    try self.init(
      name: Self.value(object, "name") { try AdapterName($0) }, kind: AdapterKind(rawValue: Self.word(object, "kind")),
      method: Self.word(object, "method"), base: Base(object.object("base")))
    version = try Self.value(object, "version") { try SemanticVersion($0) }
    languages = try object.optionalStrings("languages") ?? []
    task = try object.optionalString("task")
    labels = try object.optionalStrings("labels")
    members = try (object.optionalStrings("members") ?? []).map { name in
      try locating("members") { try AdapterName(name) }
    }
    files = try Self.objects(object, "files").map { try File($0) }
    if object.has("dependencies") { dependencies = try Self.objects(object, "dependencies").map { try Dependency($0) } }
    signers = try object.optionalStrings("signers") ?? []
    license = try object.optionalString("license")
    authors = try object.optionalStrings("authors") ?? []
    description = try object.optionalString("description")
    metrics = try object.optionalObject("metrics")?.members
    source = try object.optionalObject("source")?.members
    other = object.members.removing(Self.keys)
    try checkRanges()
    if kind == .composition { try checkMembers() }
  }

  /// The file, in the one form that its digest is taken of: keys sorted, two spaces, a line feed at the end.
  public var bytes: [UInt8] { Array((json.text(indent: 2) + "\n").utf8) }

  /// The manifest as JSON, with the keys that this version does not know.
  public var json: JSON {
    var members = other
    members["format"] = .string(Self.format)
    members["name"] = .string(name.text)
    members["version"] = .string(version.description)
    members["kind"] = .string(kind.rawValue)
    members["method"] = .string(method)
    members["base"] = base.json
    members["files"] = .array(files.map(\.json))
    members["task"] = task.map { .string($0) }
    members["labels"] = labels.map { .array($0.map { .string($0) }) }
    members["languages"] = languages.isEmpty ? nil : .array(languages.map { .string($0) })
    members["members"] = self.members.isEmpty ? nil : .array(self.members.map { .string($0.text) })
    members["dependencies"] = dependencies.isEmpty ? nil : .array(dependencies.map(\.json))
    members["signers"] = signers.isEmpty ? nil : .array(signers.map { .string($0) })
    members["license"] = license.map { .string($0) }
    members["authors"] = authors.isEmpty ? nil : .array(authors.map { .string($0) })
    members["description"] = description.map { .string($0) }
    members["metrics"] = metrics.map { .object($0) }
    members["source"] = source.map { .object($0) }
    return .object(members)
  }

  private static let keys = [
    "format", "name", "version", "kind", "method", "base", "files", "task", "labels", "languages", "members",
    "dependencies", "signers",
    "license", "authors", "description", "metrics", "source",
  ]

  private static func checkFormat(_ object: JSONObject) throws {
    let format = try object.string("format")
    let parts = format.split(separator: "/", omittingEmptySubsequences: false)
    let digits = parts.count == 2 ? parts[1].split(separator: ".", omittingEmptySubsequences: false) : []
    let numbers = digits.compactMap { try? SemanticVersion("\($0).0.0").major }
    guard parts.first == "dovetail-bundle", digits.count == 2, numbers.count == 2, numbers[0] > 0 else {
      throw Failure(
        .unknownManifest, "\(format.prefix(60).debugDescription) is not the format of a bundle", at: "format")
    }
    guard numbers[0] == 1 else {
      throw Failure(
        .newerManifest,
        "the bundle has format \(numbers[0]).\(numbers[1]), but this version of Dovetail reads only formats 1.x",
        at: "format", hint: "update Dovetail to read this bundle")
    }
  }

  private func checkRanges() throws {
    func check(_ condition: Bool, _ message: String, _ key: String) throws {
      guard condition else { throw Failure(.invalidManifest, message, at: key) }
    }
    try check(
      (1...InputLimits.hiddenSize).contains(base.hiddenSize), "the hidden size must be 1 to \(InputLimits.hiddenSize)",
      "base.hiddenSize")
    try check(
      base.layers.map { (1...InputLimits.layers).contains($0) } ?? true,
      "the layers must be 1 to \(InputLimits.layers)", "base.layers")
    try check(
      base.encoderLayers.map { (0...InputLimits.layers).contains($0) } ?? true,
      "an encoder's layers must be 0 to \(InputLimits.layers)", "base.encoderLayers")
    try check(labels?.count ?? 0 <= InputLimits.labels, "there are more than \(InputLimits.labels) labels", "labels")
    try check(
      languages.allSatisfy(Self.isLanguageTag), "a language must be a BCP 47 tag such as en or zh-Hant", "languages")
    try check(
      signers.count <= InputLimits.signatures, "there are more than \(InputLimits.signatures) signers", "signers")
    try check(
      signers.allSatisfy(Self.isKey), "a signer must be a public key: 'ed25519:' and 64 lower-case hexadecimal digits",
      "signers")
    try check(zip(signers, signers.dropFirst()).allSatisfy(<), "the signers are not in ascending order", "signers")
    try check(files.count <= InputLimits.entries, "there are more than \(InputLimits.entries) files", "files")
    try check(files.allSatisfy { $0.size >= 0 }, "a size cannot be negative", "files")
  }

  private static func isKey(_ text: String) -> Bool {
    text.hasPrefix("ed25519:") && (try? Digest("sha256:" + text.dropFirst("ed25519:".count))) != nil
  }

  private static func isLanguageTag(_ tag: String) -> Bool {
    let parts = tag.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte | 0x20) }
    guard let first = parts.first, (2...8).contains(first.count), first.allSatisfy(isLetter), tag.utf8.count <= 64
    else { return false }
    return parts.dropFirst().allSatisfy { part in
      (1...8).contains(part.count) && part.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) }
    }
  }

  fileprivate static func value<Value>(
    _ object: JSONObject, _ key: String, _ convert: (String) throws -> Value
  ) throws -> Value {
    let text = try object.string(key)
    return try locating(object.path(to: key)) { try convert(text) }
  }

  /// A name that code may compare: plain characters, 1 to 64 of them.
  fileprivate static func word(_ object: JSONObject, _ key: String) throws -> String {
    let text = try object.string(key)
    guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Failure(.invalidManifest, "expected a word of 1 to 64 plain characters", at: object.path(to: key))
    }
    return text
  }

  private static func objects(_ object: JSONObject, _ key: String) throws -> [JSONObject] {
    try object.array(key).enumerated().map { try JSONObject($1, path: object.path(to: "\(key)[\($0)]")) }
  }
}

extension Manifest.Base {
  fileprivate init(_ object: JSONObject) throws {
    try self.init(
      architecture: Manifest.word(object, "architecture"), name: object.optionalString("name"),
      hiddenSize: object.integer("hiddenSize"), layers: object.optionalInteger("layers"),
      encoderLayers: object.optionalInteger("encoderLayers"))
    if object.has("fingerprint") { fingerprint = try Manifest.value(object, "fingerprint") { try Digest($0) } }
    other = object.members.removing(["architecture", "name", "hiddenSize", "layers", "encoderLayers", "fingerprint"])
  }

  fileprivate var json: JSON {
    var members = other
    members["architecture"] = .string(architecture)
    members["name"] = name.map { .string($0) }
    members["hiddenSize"] = .integer(hiddenSize)
    members["layers"] = layers.map { .integer($0) }
    members["encoderLayers"] = encoderLayers.map { .integer($0) }
    members["fingerprint"] = fingerprint.map { .string($0.description) }
    return .object(members)
  }
}

extension Manifest.File {
  fileprivate init(_ object: JSONObject) throws {
    try self.init(
      path: object.string("path"), role: Manifest.Role(rawValue: Manifest.word(object, "role")),
      size: object.integer("size"),
      digest: Manifest.value(object, "sha256") { text in
        guard text.utf8.count == 64 else { throw Failure(.malformedDigest, "expected 64 hexadecimal digits") }
        return try Digest(text)
      })
    other = object.members.removing(["path", "role", "size", "sha256"])
  }

  fileprivate var json: JSON {
    var members = other
    members["path"] = .string(path)
    members["role"] = .string(role.rawValue)
    members["size"] = .integer(size)
    members["sha256"] = .string(digest.hex)
    return .object(members)
  }
}

extension Manifest.Dependency {
  fileprivate init(_ object: JSONObject) throws {
    try self.init(
      name: Manifest.value(object, "name") { try AdapterName($0) }, range: object.optionalString("range"),
      role: Manifest.word(object, "role"))
    if let range { _ = try locating(object.path(to: "range")) { try VersionRange(range) } }
    if object.has("digest") { digest = try Manifest.value(object, "digest") { try Digest($0) } }
    other = object.members.removing(["name", "range", "role", "digest"])
  }

  fileprivate var json: JSON {
    var members = other
    members["name"] = .string(name.text)
    members["range"] = range.map { .string($0) }
    members["role"] = .string(role)
    members["digest"] = digest.map { .string($0.description) }
    return .object(members)
  }
}

extension JSONObject {
  /// True if there is a value, and it is not null.
  fileprivate func has(_ key: String) -> Bool { !(members[key]?.isNull ?? true) }
}

extension JSON.Members {
  /// The members whose keys are not among `keys`.
  fileprivate func removing(_ keys: [String]) -> JSON.Members {
    var copy = self
    for key in keys { copy[key] = nil }
    return copy
  }
}
