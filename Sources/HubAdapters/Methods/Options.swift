import HubWords
import HubTensor
import HubModels
import HubTransformer

extension JSONObject {
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedAdapter`` if a key that is not `known` asks for
  ///   something.
  func refuseUnknown(_ known: Set<String>) throws {
    for entry in members.entries where !known.contains(entry.key) && !entry.value.isNull && entry.value != false {
      throw Failure(
        .unsupportedAdapter, "the option is unknown, and ignoring it could change the result", at: path(to: entry.key))
    }
  }

  /// A non-linearity by one of the names that Hugging Face knows it by.
  func optionalActivation(_ key: String) throws -> Activation? {
    guard let name = try optionalString(key) else { return nil }
    guard let activation = Activation(named: name) else {
      let known = Activation.names.keys.sorted().joined(separator: ", ")
      throw Failure(
        .invalidConfiguration, "the non-linearity \(name.debugDescription) is unknown", at: path(to: key),
        hint: "known: \(known)")
    }
    return activation
  }

  /// A width or a count, from 1 to 65536.
  func optionalSize(_ key: String) throws -> Int? {
    guard let value = try optionalInteger(key) else { return nil }
    guard (1...65_536).contains(value) else {
      throw Failure.outside(1...65536, value, .invalidConfiguration, at: path(to: key))
    }
    return value
  }

  /// The layers that `leave_out` names.
  func layersLeftOut() throws -> Set<Int> {
    let layers = try optional("leave_out", "an array of layer numbers") { $0.integers } ?? []
    guard let wrong = layers.first(where: { !(0..<256).contains($0) }) else { return Set(layers) }
    throw Failure(.invalidConfiguration, "there is no layer \(wrong)", at: path(to: "leave_out"))
  }

  /// The layers that `leave_out` does not name.
  func adaptedLayers(of shape: ModelShape) throws -> [Int] {
    let leavesOut = try layersLeftOut()
    return (0..<shape.layers).filter { !leavesOut.contains($0) }
  }

  /// The object with some keys that it lacks, and without others.
  func completed(with usual: JSON.Members, without own: Set<String>) -> JSONObject {
    var members = usual.with(self.members)
    for key in own { members[key] = nil }
    return JSONObject(members, path: path)
  }
}

extension JSONObject {
  /// A probability with which training drops values.
  ///
  /// - Parameter absent: where the key is missing
  func dropout(_ key: String, absent: Float = 0) throws -> Float {
    let rate = try optionalNumber(key).map(Float.init) ?? absent
    guard (0..<1).contains(rate) else {
      throw Failure(.invalidConfiguration, "a rate must be at least 0 and below 1, not \(rate)", at: path(to: key))
    }
    return rate
  }
}
