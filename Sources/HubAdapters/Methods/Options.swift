import HubManifest
import HubTensor

extension JSONObject {
  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedAdapter`` if a key that is not `known` asks for something.
  func refuseUnknown(_ known: Set<String>) throws {
    for entry in members.entries where !known.contains(entry.key) && !entry.value.isNull && entry.value != false {
      throw Failure(.unsupportedAdapter, "the option is unknown, and ignoring it could change the result", at: path(to: entry.key))
    }
  }

  /// A non-linearity by one of the names that Hugging Face knows it by.
  func optionalActivation(_ key: String) throws -> Activation? {
    guard let name = try optionalString(key) else { return nil }
    guard let activation = Activation(named: name) else {
      let known = Activation.names.keys.sorted().joined(separator: ", ")
      throw Failure(.invalidConfiguration, "the non-linearity \(name.debugDescription) is unknown", at: path(to: key), hint: "known: \(known)")
    }
    return activation
  }
}
