import Foundation
import HubWeights
public import HubWords

extension Failure.Code {
  /// A model's files ask for embeddings that are not supported.
  public static let unsupportedEmbedding = Self("embedding/unsupported", .badData)
}

/// How the states of a text's tokens become one vector.
public enum Pooling: String, CaseIterable, Sendable {
  case mean
  /// The state of the first token.
  case cls
  /// The largest value of each column.
  case max
  /// The state of the last token.
  case last
  /// The sum, divided by the root of the number of tokens.
  case meanSqrtLength = "mean_sqrt_len"
  /// The mean in which a token counts as much as its place, 1 for the first (Muennighoff 2022).
  case weightedMean = "weighted_mean"
}

/// How a model makes embeddings: what `modules.json` of a sentence-transformers folder and the files that it names say.
public struct EmbeddingForm: Hashable, Sendable {
  /// How states become a vector; without such files the mean, as in sentence-transformers.
  public var pooling = Pooling.mean
  /// Whether vectors are divided by their length.
  public var normalizes = false
  /// The tokens that a text is cut to, special ones included; `nil` where a text that is too long is an error.
  public var maximumLength: Int?
  /// Whether texts are lower-cased before they are cut into tokens.
  public var lowercases = false
  /// What stands before each text.
  public var prompt = ""

  public init() {}

  /// - Throws: ``Failure`` with code ``Failure/Code/unsupportedEmbedding``: modules besides pooling and normalisation,
  ///   several kinds of pooling at once, pooling that leaves out the prompt; or files that cannot be read.
  public init(ofModel folder: String) throws {
    self.init()
    guard let modules = try Self.json(folder, "modules.json") else { return }
    guard let modules = modules.array else {
      throw Failure(.unsupportedEmbedding, "the file is not a list of modules", at: "\(folder)/modules.json")
    }
    for module in modules {
      let object = try locating("\(folder)/modules.json") { try JSONObject(module) }
      let path = try object.optionalString("path") ?? "",
        name = try object.string("type").split(separator: ".").last ?? ""
      guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
        throw Self.refused("a module outside of the model's folder", at: "\(folder)/modules.json")
      }
      switch name {
      case "Transformer": try readTransformer(folder, path)
      case "Pooling": try readPooling(folder, path)
      case "Normalize": normalizes = true
      default: throw Self.refused("the module \(name)", at: "\(folder)/modules.json")
      }
    }
    try readPrompt(folder)
  }

  private mutating func readTransformer(_ folder: String, _ path: String) throws {
    guard path.isEmpty else { throw Self.refused("a transformer in a folder of its own", at: "\(folder)/modules.json") }
    guard let object = try Self.object(folder, "sentence_bert_config.json") else { return }
    maximumLength = try object.optionalInteger("max_seq_length")
    guard maximumLength ?? 1 > 0 else {
      throw Self.refused("texts of \(maximumLength ?? 0) tokens", at: "\(folder)/sentence_bert_config.json")
    }
    lowercases = try object.optionalBool("do_lower_case") ?? false
  }

  private mutating func readPooling(_ folder: String, _ path: String) throws {
    let name = "\(path)/config.json"
    guard let object = try Self.object(folder, name) else {
      throw Failure(.unsupportedEmbedding, "the file of the pooling is missing", at: "\(folder)/\(name)")
    }
    let modes: [(key: String, pooling: Pooling)] = [
      ("cls_token", .cls), ("mean_tokens", .mean), ("max_tokens", .max), ("mean_sqrt_len_tokens", .meanSqrtLength),
      ("weightedmean_tokens", .weightedMean), ("lasttoken", .last),
    ]
    let chosen = try locating("\(folder)/\(name)") {
      try modes.filter { try object.optionalBool("pooling_mode_" + $0.key) ?? false }
    }
    guard chosen.count == 1 else {
      throw Self.refused(chosen.isEmpty ? "no pooling" : "several kinds of pooling at once", at: "\(folder)/\(name)")
    }
    guard try object.optionalBool("include_prompt") ?? true else {
      throw Self.refused("pooling that leaves out the prompt", at: "\(folder)/\(name)")
    }
    pooling = chosen[0].pooling
  }

  private mutating func readPrompt(_ folder: String) throws {
    guard let object = try Self.object(folder, "config_sentence_transformers.json"),
      let name = try object.optionalString("default_prompt_name")
    else { return }
    prompt = try object.object("prompts").string(name)
  }

  private static func object(_ folder: String, _ name: String) throws -> JSONObject? {
    try json(folder, name).map { json in try locating("\(folder)/\(name)") { try JSONObject(json) } }
  }

  private static func json(_ folder: String, _ name: String) throws -> JSON? {
    let path = "\(folder)/\(name)"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let bytes = try MappedFile(path).withBytes { Array($0.prefix(InputLimits.jsonBytes + 1)) }
    return try locating(path) {
      try Placeholder.check(bytes)
      return try JSON(parsing: bytes)
    }
  }

  private static func refused(_ what: String, at place: String) -> Failure {
    Failure(.unsupportedEmbedding, "embeddings with \(what) are not supported", at: place)
  }
}
