import HubArchive
import HubWords

/// Weights in several files, and an index that says which tensor is in which.
public enum ShardedWeights {
  /// Maps the shards of a model that are listed by a file such as `model.safetensors.index.json`.
  ///
  /// - Throws: also ``Failure/Code/safetensorsShards`` if a tensor is not where the index says, or is not in the index.
  public static func open(_ indexPath: String) throws -> WeightFile {
    let index = try MappedFile(indexPath)
    let map = try locating(indexPath) { try shardMap(ByteRegion(index)) }
    let folder = PathParts(indexPath).folder + "/"
    var tensors: [StoredTensor] = []
    for shard in Set(map.values).sorted() {
      let file = try ModelWeights.openFile(folder + shard)
      for tensor in file.tensors {
        guard map[tensor.name] == shard else {
          throw Failure(
            .safetensorsShards, "the tensor is not listed for this shard", at: "\(folder + shard): \(tensor.name)")
        }
      }
      tensors += file.tensors
    }
    guard tensors.count == map.count else {
      let found = Set(tensors.map(\.name))
      let missing = map.keys.filter { !found.contains($0) }.min() ?? ""
      throw Failure(
        .safetensorsShards, "the tensor is not in the shard that the index names", at: "\(indexPath): \(missing)")
    }
    return try WeightFile(path: indexPath, tensors: tensors)
  }

  /// The names of the shards that an index lists, sorted.
  public static func names(listedBy indexPath: String) throws -> [String] {
    let index = try MappedFile(indexPath)
    return try locating(indexPath) { Set(try shardMap(ByteRegion(index)).values).sorted() }
  }

  private static func shardMap(_ file: ByteRegion) throws -> [String: String] {
    guard file.count <= InputLimits.safetensorsHeader else {
      throw Failure(.excessiveSafetensors, "the index is larger than \(InputLimits.safetensorsHeader) bytes")
    }
    let json = try JSON(
      parsing: file.array(), limits: JSON.Limits(bytes: InputLimits.safetensorsHeader, depth: 8, values: 1_000_000))
    var map: [String: String] = [:]
    for entry in try JSONObject(json).object("weight_map").members.entries {
      guard let shard = entry.value.string, isPlainName(shard) else {
        throw Failure(
          .safetensorsShards, "a shard must be a file name in the same folder", at: "weight_map.\(entry.key)")
      }
      map[entry.key] = shard
    }
    return map
  }

  private static func isPlainName(_ name: String) -> Bool {
    let isPlain = { (byte: UInt8) in
      byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\\")
    }
    return !name.isEmpty && name.utf8.count <= 255 && name.utf8.first != UInt8(ascii: ".")
      && name.utf8.allSatisfy(isPlain)
  }
}
