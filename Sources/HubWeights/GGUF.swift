public import HubWords

extension Failure.Code {
  /// A GGUF file ends too early, or something in it does not lie where the file says.
  public static let truncatedGGUF = Self("gguf/truncated", .badData)
  /// A GGUF file is not what the format says.
  public static let malformedGGUF = Self("gguf/malformed", .badData)
  /// A number in a GGUF file is beyond its limit.
  public static let excessiveGGUF = Self("gguf/limit", .badData)
  /// A version or a type that is not supported.
  public static let unsupportedGGUF = Self("gguf/unsupported", .badData)
}

/// A file in the format of `llama.cpp`, versions 2 and 3, little-endian: metadata with the sizes of a model and its
/// tokenizer, then tensors. Counts, lengths and places are checked before anything is allocated or read.
///
/// Format: ggml's `docs/gguf.md`.
public struct GGUFFile: Sendable {
  /// Where the file is.
  public let path: String
  /// The metadata by their keys.
  public let metadata: [String: GGUFValue]
  /// The tensors in the order of the file.
  public let tensors: [GGUFTensor]

  /// Maps a file.
  ///
  /// - Throws: ``Failure`` with codes `gguf/...` or `file/...`, at the file and what is wrong in it
  public init(_ path: String) throws { try self.init(ByteRegion(MappedFile(path)), path: path) }

  /// Reads a file that lies in memory.
  ///
  /// - Parameter path: a name for messages
  public init(_ bytes: [UInt8], path: String) throws { try self.init(ByteRegion(bytes), path: path) }

  private init(_ region: ByteRegion, path: String) throws {
    self.path = path
    (metadata, tensors) = try locating(path) {
      let head = try region.withBytes { bytes in
        var reader = GGUFReader(bytes: bytes)
        return try reader.read()
      }
      return (head.metadata, try Self.tensors(head, region))
    }
  }

  /// Whether a file begins as GGUF files do.
  public static func isGGUF(_ path: String) -> Bool {
    (try? MappedFile(path).withBytes { $0.prefix(4).elementsEqual(GGUFReader.magic) }) ?? false
  }

  /// The tensors lie one after the other, each at a multiple of the alignment.
  private static func tensors(_ head: GGUFHead, _ region: ByteRegion) throws -> [GGUFTensor] {
    let start = head.end.roundedUp(to: head.alignment)
    var end = 0
    var tensors: [GGUFTensor] = [], names = Set<String>()
    for entry in head.entries {
      guard names.insert(entry.name).inserted else {
        throw Failure(.malformedGGUF, "two tensors have the same name", at: entry.name)
      }
      guard entry.offset == end.roundedUp(to: head.alignment) else {
        throw Failure(
          .malformedGGUF, "the tensor begins at byte \(entry.offset) of the data, not after the one before it",
          at: entry.name)
      }
      guard let data = region.slice(at: start + entry.offset, count: entry.byteCount) else {
        throw Failure(.truncatedGGUF, "the file ends before the tensor does", at: entry.name)
      }
      end = entry.offset + entry.byteCount
      tensors.append(
        GGUFTensor(name: entry.name, type: entry.type, shape: entry.shape, count: entry.count, region: data))
    }
    guard region.count - start - end < head.alignment else {
      throw Failure(.malformedGGUF, "\(region.count - start - end) bytes after the last tensor belong to no tensor")
    }
    return tensors
  }

  /// The tensor of this name.
  public subscript(name: String) -> GGUFTensor? { tensors.first { $0.name == name } }

  /// The value of a key, converted.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/malformedGGUF`` where it is missing or of another kind
  public func required<Value>(_ key: String, _ what: String, _ convert: (GGUFValue) -> Value?) throws -> Value {
    guard let value = try optional(key, what, convert) else {
      throw Failure(.malformedGGUF, "the metadata have no \(key)", at: path)
    }
    return value
  }

  /// The value of a key, converted; `nil` where it is missing.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/malformedGGUF`` where it is of another kind
  public func optional<Value>(_ key: String, _ what: String, _ convert: (GGUFValue) -> Value?) throws -> Value? {
    guard let stored = metadata[key] else { return nil }
    guard let value = convert(stored) else { throw Failure(.malformedGGUF, "\(key) is not \(what)", at: path) }
    return value
  }
}

/// What stands before the tensors' data.
struct GGUFHead {
  struct Entry {
    var name: String
    var type: GGUFType
    var shape: [Int]
    var count: Int
    var byteCount: Int
    var offset: Int
  }

  var metadata: [String: GGUFValue] = [:]
  var entries: [Entry] = []
  var alignment = 32
  var end = 0
}

extension Int {
  /// The next multiple of `step`, or the number itself if it is one.
  fileprivate func roundedUp(to step: Int) -> Int { (self + step - 1) / step * step }
}
