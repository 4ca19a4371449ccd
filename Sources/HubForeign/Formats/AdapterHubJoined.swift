import HubModels
import HubWeights
import HubWords

/// Adapters of linear layers that a model stores as one: the library adapts all of them together. The first factors of
/// the adapted ones stand below each other, and so do the second ones, the scalings and the gates.
enum AdapterHubJoined {
  /// What stands in a stable name for the layers together.
  static let place = "joined"

  /// The adapted layers, in the order in which they are stored.
  private static func adapted(_ c: JSON.Members, _ joined: LayerModules.JoinedModules) -> [Site.Place] {
    let names: [String: Site.Place] = ["q": .query, "k": .key, "v": .value]
    let wanted = Set((c["attn_matrices"]?.strings ?? ["q", "v"]).compactMap { names[$0] })
    return joined.places.filter(wanted.contains)
  }

  /// The configuration of the LoRA in an adapter; itself, or part of a union.
  private static func lora(_ c: JSON.Members) -> JSON.Members? {
    c["architecture"]?.string == "lora"
      ? c : c["configs"]?.array?.lazy.compactMap { $0.object.flatMap(lora) }.first
  }

  /// Gives each layer what is its own.
  static func split(
    _ tensors: [String: StoredTensor], _ configuration: JSON.Members, of family: ModelFamily
  ) throws -> [String: StoredTensor] {
    guard let joined = family.layers.joined, let lora = lora(configuration) else { return tensors }
    let places = adapted(lora, joined)
    return try tensors.reduce(into: [:]) { result, item in
      guard let parts = item.key.components(around: ".\(place).") else {
        result[item.key] = item.value
        return
      }
      guard let rows = item.value.shape.first, !places.isEmpty, rows % places.count == 0 else {
        throw Failure(
          .unexpectedJSON, "the shape \(item.value.shape) does not fit \(places.count) layers", at: item.key)
      }
      let share = rows / places.count, width = item.value.count / max(1, rows), values = try item.value.floats()
      for (index, place) in places.enumerated() {
        let name = "\(parts.0).\(place.rawValue).\(parts.1)"
        result[name] = try StoredTensor(
          name: name, shape: [share] + item.value.shape.dropFirst(),
          floats: Array(values[index * share * width..<(index + 1) * share * width]))
      }
    }
  }

  /// The way back.
  static func joined(
    _ tensors: [StoredTensor], _ configuration: JSON.Members, of family: ModelFamily
  ) throws -> [StoredTensor] {
    guard let joined = family.layers.joined, let lora = lora(configuration) else { return tensors }
    let places = adapted(lora, joined), byName = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    return try tensors.compactMap { tensor in
      guard let place = places.first(where: { tensor.name.contains(".\($0.rawValue).") }),
        let parts = tensor.name.components(around: ".\(place.rawValue).")
      else { return tensor }
      guard place == places.first else { return nil }
      let all = try places.map { other in
        guard let part = byName["\(parts.0).\(other.rawValue).\(parts.1)"], part.shape == tensor.shape else {
          throw Failure(
            .inexpressibleAdapter, "AdapterHub adapts these layers together, but one is missing or has another shape",
            at: "\(parts.0).\(other.rawValue).\(parts.1)")
        }
        return part
      }
      return try StoredTensor(
        name: "\(parts.0).\(Self.place).\(parts.1)",
        shape: [tensor.shape[0] * places.count] + tensor.shape.dropFirst(), floats: all.flatMap { try $0.floats() })
    }
  }
}

extension String {
  /// What stands before and after a part that occurs once.
  fileprivate func components(around part: String) -> (String, String)? {
    guard let range = firstRange(of: part) else { return nil }
    return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
  }
}
