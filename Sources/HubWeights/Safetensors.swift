import HubArchive
public import HubWords

extension Failure.Code {
  /// A safetensors file ends before its header or its data do.
  public static let truncatedSafetensors = Self("safetensors/truncated", .badData)
  /// The header is not what the format says.
  public static let malformedSafetensors = Self("safetensors/header", .badData)
  /// The header, the number of tensors or a shape is larger than allowed.
  public static let excessiveSafetensors = Self("safetensors/limit", .badData)
  /// A tensor has an element type that is not known.
  public static let unknownSafetensorsType = Self("safetensors/type", .badData)
  /// Tensors overlap, leave a hole, or something follows them.
  public static let safetensorsLayout = Self("safetensors/layout", .badData)
  /// The index of a sharded model and its shards do not agree.
  public static let safetensorsShards = Self("safetensors/shards", .badData)
}

/// Reads the safetensors format, more strictly than its reference: exactly the keys of the format, integers
/// written as integers, every byte of the data in exactly one tensor.
public enum Safetensors {
  /// Maps a file.
  ///
  /// - Throws: ``Failure`` with codes `safetensors/...`, `json/...`, `tensor/...` or `file/...`, at the file and
  ///   tensor.
  public static func open(_ path: String) throws -> WeightFile {
    try open(MappedFile(path))
  }

  /// Reads a file that is mapped already.
  public static func open(_ file: MappedFile) throws -> WeightFile {
    try locating(file.path) { try file.withBytes { try Placeholder.check($0.prefix(Placeholder.length)) } }
    return try read(ByteRegion(file), path: file.path)
  }

  /// Reads a file that lies in memory.
  ///
  /// - Parameter path: a name for messages.
  public static func read(_ bytes: [UInt8], path: String) throws -> WeightFile {
    try read(ByteRegion(bytes), path: path)
  }

  private static func read(_ file: ByteRegion, path: String) throws -> WeightFile {
    let (tensors, metadata) = try locating(path) {
      let (header, data) = try split(file)
      let limits = JSON.Limits(bytes: InputLimits.safetensorsHeader, depth: 4, values: 1_000_000)
      guard header.first == UInt8(ascii: "{"), header.last(where: { $0 != 0x20 }) == UInt8(ascii: "}") else {
        throw Failure(.malformedSafetensors, "the header is not a JSON object padded with spaces")
      }
      let members = try JSONObject(try JSON(parsing: header, limits: limits)).members.entries
      let metadata = try members.first { $0.key == "__metadata__" }.map { try strings($0.value) } ?? [:]
      let listed = members.filter { $0.key != "__metadata__" }
      guard listed.count <= InputLimits.tensors else {
        throw Failure(.excessiveSafetensors, "the file lists \(listed.count) tensors, more than \(InputLimits.tensors)")
      }
      let places = try listed.map { member in
        try locating(member.key) { try Place(name: member.key, json: member.value, dataCount: data.count) }
      }
      try checkLayout(places, dataCount: data.count)
      let tensors = try places.map { place in
        guard let region = data.slice(at: place.begin, count: place.end - place.begin) else {
          throw Failure(.truncatedSafetensors, "the data of a tensor is not in the file", at: place.name)
        }
        return try StoredTensor(name: place.name, type: place.type, shape: place.shape, region: region)
      }
      return (tensors, metadata)
    }
    return try WeightFile(path: path, tensors: tensors, metadata: metadata)
  }

  /// The bytes of the header and the data after it.
  private static func split(_ file: ByteRegion) throws -> (header: [UInt8], data: ByteRegion) {
    guard
      let length = file.slice(at: 0, count: 8)?.withBytes({ UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) })
    else {
      throw Failure(.truncatedSafetensors, "the file is shorter than the length of its header")
    }
    guard length <= UInt64(InputLimits.safetensorsHeader) else {
      throw Failure(
        .excessiveSafetensors, "the header says that it has \(length) bytes, more than \(InputLimits.safetensorsHeader)"
      )
    }
    let count = Int(length)
    guard let header = file.slice(at: 8, count: count),
      let data = file.slice(at: 8 + count, count: file.count - 8 - count)
    else {
      throw Failure(.truncatedSafetensors, "the file ends within its header")
    }
    return (header.array(), data)
  }

  private static func strings(_ json: JSON) throws -> [String: String] {
    var result: [String: String] = [:]
    for entry in try JSONObject(json, path: "__metadata__").members.entries {
      guard let value = entry.value.string else {
        throw Failure(.malformedSafetensors, "metadata must be text", at: "__metadata__.\(entry.key)")
      }
      result[entry.key] = value
    }
    return result
  }

  /// Every byte of the data belongs to exactly one tensor.
  private static func checkLayout(_ places: [Place], dataCount: Int) throws {
    var end = 0
    for place in places.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard place.begin == end else {
        let what = place.begin < end ? "overlaps another tensor" : "leaves a hole before it"
        throw Failure(.safetensorsLayout, "the tensor \(what)", at: place.name)
      }
      end = place.end
    }
    guard end == dataCount else {
      throw Failure(.safetensorsLayout, "\(dataCount - end) bytes after the last tensor belong to no tensor")
    }
  }
}

/// What a header says about one tensor.
private struct Place {
  let name: String
  let type: ElementType
  let shape: [Int]
  let begin: Int
  let end: Int

  init(name: String, json: JSON, dataCount: Int) throws {
    let object = try JSONObject(json)
    guard object.members.entries.count == 3 else {
      throw Failure(.malformedSafetensors, "a tensor must have exactly the keys dtype, shape and data_offsets")
    }
    let typeName = try object.string("dtype")
    guard let type = ElementType(rawValue: typeName) else {
      throw Failure(.unknownSafetensorsType, "the element type \(typeName.prefix(20).debugDescription) is not known")
    }
    let offsets = try Self.integers(object, "data_offsets")
    shape = try Self.integers(object, "shape")
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw Failure(.malformedSafetensors, "data_offsets must be a beginning and an end")
    }
    guard offsets[1] <= dataCount else {
      throw Failure(
        .truncatedSafetensors,
        "the data would end at byte \(offsets[1]), but the file has only \(dataCount) bytes of data")
    }
    let needed = try StoredTensor.elementCount(of: shape, name: "shape") * type.byteSize
    guard needed == offsets[1] - offsets[0] else {
      throw Failure(
        .safetensorsLayout,
        "\(typeName) \(shape) needs \(needed) bytes, but data_offsets span \(offsets[1] - offsets[0])")
    }
    self.name = name
    self.type = type
    (begin, end) = (offsets[0], offsets[1])
  }

  /// Integers that are written as integers.
  private static func integers(_ object: JSONObject, _ key: String) throws -> [Int] {
    try object.array(key).map { element in
      guard case .integer(let value) = element else {
        throw Failure(.malformedSafetensors, "expected integers, found \(element.kind)", at: key)
      }
      return value
    }
  }
}
