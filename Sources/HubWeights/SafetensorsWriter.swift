import HubArchive
import HubWords

/// Writes the safetensors format: tensors in ascending order of their names' bytes, the header padded with spaces
/// so that the data begins at a multiple of 64 bytes: mapped, it is aligned for every processor. Equal tensors are
/// equal files.
public enum SafetensorsWriter {
  /// The whole file in memory.
  ///
  /// - Throws: ``Failure/Code/malformedTensor`` if two tensors have the same name or one is named `__metadata__`.
  public static func bytes(of tensors: [StoredTensor], metadata: [String: String] = [:]) throws -> [UInt8] {
    let sorted = try checked(tensors)
    var bytes = header(of: sorted, metadata: metadata)
    for tensor in sorted { tensor.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// Writes a file that appears under its name when it is complete.
  public static func write(_ tensors: [StoredTensor], metadata: [String: String] = [:], to path: String) throws {
    let sorted = try checked(tensors)
    let output = try AtomicFile(path)
    try header(of: sorted, metadata: metadata).withUnsafeBytes { try output.file.write($0) }
    for tensor in sorted { try tensor.withBytes { try output.file.write($0) } }
    try output.commit()
  }

  private static func checked(_ tensors: [StoredTensor]) throws -> [StoredTensor] {
    guard !tensors.contains(where: { $0.name == "__metadata__" }) else {
      throw Failure(.malformedTensor, "a tensor cannot have this name", at: "__metadata__")
    }
    return try WeightFile(path: "tensors", tensors: tensors).tensors
  }

  private static func header(of tensors: [StoredTensor], metadata: [String: String]) -> [UInt8] {
    var entries: [String] = []
    if !metadata.isEmpty {
      var members = JSON.Members()
      for (key, value) in metadata { members[key] = .string(value) }
      entries.append("\"__metadata__\":\(JSON.object(members).text())")
    }
    var offset = 0
    for tensor in tensors {
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.byteCount
      let name = JSON.string(tensor.name).text()
      entries.append(
        "\(name):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = Array("{\(entries.joined(separator: ","))}".utf8)
    text += Array(repeating: 0x20, count: (64 - (8 + text.count) % 64) % 64)
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }
}
