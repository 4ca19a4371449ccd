public import HubWords
public import HubTensor
import HubWeights

/// The packed weights of base models in files of their own, so that the next start maps them instead of packing again.
///
/// A file belongs to a model (by its fingerprint), a precision and kernels of one name and layout. It is a safetensors
/// file whose numbers only the kernels understand. Any number of processes may use one folder: a file appears under its
/// name when it is complete, and one that does not fit is as good as none.
public struct PackedCache: Sendable {
  private let folder: String
  private let leastBytes: Int

  /// - Parameters:
  ///   - folder: must be there, and belong to the user alone: what is in it is trusted.
  ///   - leastBytes: models with fewer bytes of weights are packed faster than a file is worth
  public init(folder: String, leastBytes: Int = 32 << 20) {
    self.folder = folder
    self.leastBytes = leastBytes
  }

  /// Does what ``BaseModel/prepare(in:)`` does, from the file if there is one; else makes the file. That the file
  /// cannot be written is not a failure: the model is ready without it.
  public func prepare(_ model: any BaseModel, fingerprint: Digest, in context: Context) {
    let matrices = model.matrices
    guard matrices.reduce(0, { $0 + $1.count }) * MemoryLayout<Float>.size >= leastBytes else {
      return model.prepare(in: context)
    }
    let key = key(fingerprint, context)
    let path = "\(folder)/\(fingerprint.short)-\(context.precision.rawValue)-\(context.engine.kernels.name).safetensors"
    if restore(matrices, from: path, key, in: context) { return }
    model.prepare(in: context)
    try? store(matrices, to: path, key, in: context)
  }

  /// What must be equal for a file to fit.
  private func key(_ fingerprint: Digest, _ context: Context) -> [String: String] {
    [
      "fingerprint": fingerprint.description, "precision": context.precision.rawValue,
      "kernels": context.engine.kernels.name,
      "layout": "\(Kernels.layoutVersion)",
    ]
  }

  private func restore(_ matrices: [Parameter], from path: String, _ key: [String: String], in context: Context) -> Bool
  {
    guard let file = try? Safetensors.open(path), file.metadata == key else { return false }
    return matrices.allSatisfy { matrix in
      file[matrix.name]?.withMappedUnits { matrix.adopt(packed: $0, owner: $1, in: context) } ?? false
    }
  }

  private func store(_ matrices: [Parameter], to path: String, _ key: [String: String], in context: Context) throws {
    let tensors = try matrices.map { matrix in
      try matrix.withPackedUnits(in: context) { bytes, owner in
        let type = ElementType.int32
        return try StoredTensor(
          name: matrix.name, type: type, shape: [bytes.count / type.byteSize], borrowing: bytes, owner: owner)
      }
    }
    try SafetensorsWriter.write(tensors, metadata: key, to: path)
  }
}
