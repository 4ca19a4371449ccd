import HubWords
import HubModels
import HubTensor

/// What `config.json` says under the names that the family gives it, within bounds that no model reaches.
struct ConfiguredSizes {
  /// With everything that the file leaves out.
  let configuration: JSONObject
  private let keys: ModelFamily.ConfigurationKeys

  init(_ configuration: JSONObject, of family: ModelFamily) {
    self.configuration = family.completed(configuration)
    keys = family.keys
  }

  /// - Parameter absent: what a missing key means; it must be there if `nil`
  func size(_ key: String, upTo limit: Int, or absent: Int? = nil) throws -> Int {
    let value = try absent.map { try configuration.optionalInteger(key) ?? $0 } ?? configuration.integer(key)
    guard (1...limit).contains(value) else {
      throw Failure.outside(1...limit, value, .invalidModelConfiguration, at: configuration.path(to: key))
    }
    return value
  }

  func vocabularySize() throws -> Int { try size("vocab_size", upTo: 1 << 24) }
  func hiddenSize() throws -> Int { try size(keys.hiddenSize, upTo: 65_536) }
  func layers() throws -> Int { try size(keys.layers, upTo: 256) }
  func positions() throws -> Int { try size(keys.positions, upTo: 1 << 24) }

  /// The number of heads.
  ///
  /// - Parameter width: what they must divide
  func heads(_ key: String, dividing width: Int) throws -> Int {
    let heads = try size(key, upTo: 1024)
    guard width % heads == 0 else {
      throw Failure(.invalidModelConfiguration, "a width of \(width) cannot be divided among \(heads) heads", at: key)
    }
    return heads
  }

  func epsilon() throws -> Float {
    let epsilon = Float(try configuration.number(keys.normEpsilon))
    guard epsilon >= 0, epsilon.isFinite else {
      throw Failure(.invalidModelConfiguration, "ε is \(epsilon)", at: keys.normEpsilon)
    }
    return epsilon
  }

  func activation(_ key: String) throws -> Activation {
    let name = try configuration.string(key)
    guard let activation = Activation(named: name) else {
      throw Failure(.unsupportedModel, "the activation \(name.debugDescription) is not supported", at: key)
    }
    return activation
  }

  /// Refuses a switch that means another computation.
  func refuse(_ key: String, unless allowed: JSON, _ what: String) throws {
    guard let value = configuration.members[key], !value.isNull, value != allowed else { return }
    throw Failure(.unsupportedModel, "\(what) is not supported", at: configuration.path(to: key))
  }
}
