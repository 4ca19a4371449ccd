public import HubArchive
public import HubWords

extension Failure.Code {
  /// Neither of the two layouts of `torch.save`.
  public static let unknownTorchFile = Self("torch/unknown-format", .badData)
  /// The file ends too early, or something follows its end.
  public static let torchLength = Self("torch/length", .badData)
  /// A part of the file is missing, unknown or not what it should be.
  public static let malformedTorchFile = Self("torch/malformed", .badData)
  /// The file was written on a big-endian machine.
  public static let bigEndianTorchFile = Self("torch/big-endian", .refused)
  /// The file holds something other than a dictionary of tensors.
  public static let unexpectedTorchObject = Self("torch/unexpected-object", .refused)
  /// A tensor does not lie within its storage, or its storage is not as long as it says.
  public static let torchStorage = Self("torch/storage", .badData)
}

/// Reads what `torch.save` writes, the zip layout and the one before torch 1.6, without running any of it: a
/// dictionary of names and tensors (or parameters) is weights, everything else is refused.
public enum TorchFile {
  /// - Parameter limits: for the zip file; base models may need more than adapters do.
  /// - Throws: ``Failure`` with codes `torch/...`, `pickle/...`, `archive/...` or `file/...`, at the file and tensor.
  public static func open(_ path: String, limits: ArchiveLimits = ArchiveLimits()) throws -> WeightFile {
    let file = ByteRegion(try MappedFile(path))
    return try read(file, path: path) { try ArchiveReader(file: path, limits: limits) }
  }

  /// Reads a file that lies in memory.
  ///
  /// - Parameter path: a name for messages.
  public static func read(_ bytes: [UInt8], path: String, limits: ArchiveLimits = ArchiveLimits()) throws -> WeightFile
  {
    try read(ByteRegion(bytes), path: path) { try ArchiveReader(bytes: bytes, path: path, limits: limits) }
  }

  private static func read(_ file: ByteRegion, path: String, archive: () throws -> ArchiveReader) throws -> WeightFile {
    let start = file.slice(at: 0, count: min(file.count, LegacyTorchFile.magic.count))?.array() ?? []
    if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
      let parts = try ZippedTorchFile(archive())
      return try weights(parts.pickle, path: path) { storage in
        guard let bytes = parts.storages[storage.key] else {
          throw Failure(.torchStorage, "the storage \(storage.key) is not in the file")
        }
        return ByteRegion(bytes)
      }
    }
    guard start == LegacyTorchFile.magic else {
      try locating(path) {
        try Placeholder.check(file.slice(at: 0, count: min(file.count, Placeholder.length))?.array() ?? [])
      }
      throw Failure(
        .unknownTorchFile, "not a file of torch.save", at: path,
        hint: "if it is an older or another kind of checkpoint, load it in Python and save it as safetensors")
    }
    let legacy = try locating(path) { try LegacyTorchFile(file) }
    return try weights(legacy.pickle, path: path) { storage in
      guard let bytes = legacy.storages[storage.key] else {
        throw Failure(.torchStorage, "the storage \(storage.key) is not in the file")
      }
      return bytes
    }
  }

  private static func weights(
    _ pickle: TorchPickle, path: String, storage: (TorchStorage) throws -> ByteRegion
  ) throws -> WeightFile {
    let tensors = try locating(path) {
      try pickle.tensors().map { view in
        try locating(view.name) { try view.read(from: try storage(view.storage)) }
      }
    }
    return try WeightFile(path: path, tensors: tensors)
  }
}

/// The zip layout: one folder with `data.pkl` and the storages below `data/`.
private struct ZippedTorchFile {
  let pickle: TorchPickle
  let storages: [String: [UInt8]]

  init(_ archive: ArchiveReader) throws {
    var root: String?
    var pickle: [UInt8]?
    var storages: [String: [UInt8]] = [:]
    while let entry = try archive.next() {
      let parts = entry.name.components
      guard !entry.isFolder, parts.count > 1, root == nil || root == parts[0] else {
        throw Failure(
          .malformedTorchFile, "torch.save does not write such an entry", at: "\(archive.path): \(entry.name)")
      }
      root = parts[0]
      switch parts.dropFirst().joined(separator: "/") {
      case "data.pkl": pickle = try archive.contents(limit: InputLimits.pickleBytes)
      case "byteorder":
        guard try archive.contents(limit: 64) == Array("little".utf8) else {
          throw Failure(.bigEndianTorchFile, "the file was written on a big-endian machine", at: archive.path)
        }
      case "version": try Self.checkVersion(archive.contents(limit: 64), upTo: 10, of: archive.path)
      case ".format_version": try Self.checkVersion(archive.contents(limit: 64), upTo: 1, of: archive.path)
      case ".storage_alignment", ".data/serialization_id": _ = try archive.contents(limit: 1024)
      case let path where path.hasPrefix("data/") && TorchStorage.isKey(String(path.dropFirst(5))):
        storages[String(path.dropFirst(5))] = try archive.contents(limit: .max)
      default:
        throw Failure(
          .malformedTorchFile, "torch.save does not write such an entry", at: "\(archive.path): \(entry.name)")
      }
    }
    guard let pickle else { throw Failure(.malformedTorchFile, "there is no data.pkl in the file", at: archive.path) }
    self.storages = storages
    self.pickle = try locating("\(archive.path): data.pkl") {
      let (value, reader) = try PickleReader.read(pickle)
      guard reader.position == pickle.count else { throw Failure(.torchLength, "there is data after the pickle") }
      return TorchPickle(root: value, objects: reader)
    }
  }
}

extension ZippedTorchFile {
  /// The versions of the layout that torch knows.
  private static func checkVersion(_ bytes: [UInt8], upTo newest: Int, of path: String) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let version = Int(text.hasSuffix("\n") ? String(text.dropLast()) : text), (1...newest).contains(version)
    else {
      throw Failure(
        .malformedTorchFile,
        "the file has the version \(text.debugDescription), but the newest known one is \(newest)",
        at: path, hint: "save the weights as safetensors")
    }
  }
}

/// The layout before torch 1.6: five pickles, then the storages one after another.
private struct LegacyTorchFile {
  /// The first of the pickles, which holds nothing but a number that is too large for ours.
  static let magic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  let pickle: TorchPickle
  let storages: [String: ByteRegion]

  init(_ file: ByteRegion) throws {
    // The pickles are at the beginning, and each may have so many bytes.
    let head = file.slice(at: 0, count: min(file.count, 2 * InputLimits.pickleBytes))?.array() ?? []
    var position = Self.magic.count
    func next() throws -> TorchPickle {
      let (value, reader) = try PickleReader.read(head, from: position)
      position = reader.position
      return TorchPickle(root: value, objects: reader)
    }
    guard try next().root == .integer(1001) else {
      throw Failure(.malformedTorchFile, "the protocol of the file is not 1001")
    }
    let system = try next()
    guard system.item("little_endian") == .bool(true) else {
      throw Failure(.bigEndianTorchFile, "the file was written on a big-endian machine, or does not say")
    }
    pickle = try next()
    let keys = try next().strings()
    storages = try Self.storages(keys, types: pickle.storageTypes(), in: file, from: position)
  }

  private static func storages(
    _ keys: [String], types: [String: ElementType], in file: ByteRegion, from start: Int
  ) throws -> [String: ByteRegion] {
    var storages: [String: ByteRegion] = [:]
    var position = start
    for key in keys {
      guard let type = types[key], storages[key] == nil else {
        throw Failure(
          .torchStorage, "the storage \(key.prefix(40).debugDescription) is listed twice, or used by no tensor")
      }
      guard
        let length = file.slice(at: position, count: 8)?.withBytes({
          Int64(littleEndian: $0.loadUnaligned(as: Int64.self))
        })
      else {
        throw Failure(.torchLength, "the file ends before the storage \(key)")
      }
      let (byteCount, overflow) = Int(length).multipliedReportingOverflow(by: type.byteSize)
      guard !overflow, let bytes = file.slice(at: position + 8, count: byteCount) else {
        throw Failure(.torchLength, "the file ends within the storage \(key)")
      }
      storages[key] = bytes
      position += 8 + byteCount
    }
    guard position == file.count else { throw Failure(.torchLength, "there is data after the last storage") }
    return storages
  }
}
