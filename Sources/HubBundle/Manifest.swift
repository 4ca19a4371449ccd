public import HubWords

extension Failure.Code {
  /// The file is not the manifest of a bundle.
  public static let unknownManifest = Self("manifest/unknown-format", .badData)
  /// The bundle was made by a newer Dovetail, in a format that this one cannot read.
  public static let newerManifest = Self("manifest/newer-format", .refused)
  /// A field of the manifest is out of its range.
  public static let invalidManifest = Self("manifest/invalid", .badData)
}

/// What kind of thing a bundle holds. Kinds that this version does not know are read and kept.
public struct AdapterKind: RawRepresentable, Hashable, Sendable {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }

  /// Knows a language.
  public static let language = Self(rawValue: "language")
  /// Knows a task.
  public static let task = Self(rawValue: "task")
  /// Rewrites the embeddings, usually together with a language.
  public static let invertible = Self(rawValue: "invertible")
  /// Attends over the outputs of other adapters.
  public static let fusion = Self(rawValue: "fusion")
  /// Names other adapters and how they are put together.
  public static let composition = Self(rawValue: "composition")
  /// Made by calculation from other adapters.
  public static let merged = Self(rawValue: "merged")
  /// Anything else.
  public static let adapter = Self(rawValue: "adapter")
}

/// What an adapter says about itself: the file `manifest.json` of a bundle.
///
/// Keys that this version does not know are kept in `other` and written back.
public struct Manifest: Hashable, Sendable {
  /// The format that is written. A reader takes any minor version of its major version.
  public static let format = "dovetail-bundle/1.0"

  /// The name it is installed under unless the user says otherwise.
  public var name: AdapterName
  /// The version of the adapter, not that of the format.
  public var version = SemanticVersion(1, 0, 0)
  /// What the bundle holds: an adapter for a task or a language, a fusion, a composition.
  public var kind: AdapterKind
  /// The method's name, such as `seq_bn`, `bottleneck` or `fusion`.
  public var method: String
  /// BCP 47 tags.
  public var languages: [String] = []
  /// The task that it was trained for, such as `sentiment`.
  public var task: String?
  /// The labels of the head in the order of its outputs.
  public var labels: [String]?
  /// The base model that it was trained on.
  public var base: Base
  /// For a fusion, the names of the adapters that it attends over, in its order.
  public var members: [AdapterName] = []
  /// Every file of the bundle besides the manifest.
  public var files: [File] = []
  /// Other adapters that it needs or was trained with.
  public var dependencies: [Dependency] = []
  /// The public keys whose signatures the bundle must have, `ed25519:` and 64 digits each, in ascending order.
  public var signers: [String] = []
  /// An SPDX expression or free text.
  public var license: String?
  /// Names, in any form.
  public var authors: [String] = []
  public var description: String?
  /// What was measured, as the author wrote it down.
  public var metrics: JSON.Members?
  /// Where the adapter comes from, and everything its first format said that has no place here.
  public var source: JSON.Members?
  /// Keys that this version does not know.
  public var other = JSON.Members()

  public init(name: AdapterName, kind: AdapterKind, method: String, base: Base) {
    self.name = name
    self.kind = kind
    self.method = method
    self.base = base
  }

  /// The base model that an adapter was trained on.
  public struct Base: Hashable, Sendable {
    /// The model type as in its configuration, such as `bert` or `xlm-roberta`.
    public var architecture: String
    /// The name of the model, such as `bert-base-uncased`; for people.
    public var name: String?
    /// The width of its hidden states.
    public var hiddenSize: Int
    /// The number of its layers, if known.
    public var layers: Int?
    /// How many of them are an encoder's before a decoder's, if it has both.
    public var encoderLayers: Int?
    /// The digest that identifies configuration and weights.
    public var fingerprint: Digest?
    /// Keys that this version does not know.
    public var other = JSON.Members()

    public init(
      architecture: String, name: String? = nil, hiddenSize: Int, layers: Int? = nil, encoderLayers: Int? = nil,
      fingerprint: Digest? = nil
    ) {
      self.architecture = architecture
      self.name = name
      self.hiddenSize = hiddenSize
      self.layers = layers
      self.encoderLayers = encoderLayers
      self.fingerprint = fingerprint
    }
  }

  /// What a file is for. Roles that this version does not know are read and kept.
  public struct Role: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The method's configuration.
    public static let config = Self(rawValue: "config")
    /// The adapter's tensors.
    public static let weights = Self(rawValue: "weights")
    /// The head's configuration.
    public static let headConfig = Self(rawValue: "headConfig")
    /// The head's tensors.
    public static let headWeights = Self(rawValue: "headWeights")
    /// The model card.
    public static let card = Self(rawValue: "card")
    /// A small input and what the adapter made of it.
    public static let probe = Self(rawValue: "probe")
  }

  /// One file of the bundle.
  public struct File: Hashable, Sendable {
    /// Relative to the bundle, with `/`.
    public var path: String
    /// What the file is for.
    public var role: Role
    /// Bytes.
    public var size: Int
    /// The SHA-256 of its bytes.
    public var digest: Digest
    /// Keys that this version does not know.
    public var other = JSON.Members()

    public init(path: String, role: Role, size: Int, digest: Digest) {
      self.path = path
      self.role = role
      self.size = size
      self.digest = digest
    }
  }

  /// Another adapter that this one was trained with.
  public struct Dependency: Hashable, Sendable {
    /// The name of the other adapter.
    public var name: AdapterName
    /// Versions that will do, such as `^1.0`; any if there is none.
    public var range: String?
    /// What the other one is to this one, such as `language`.
    public var role: String
    /// Exactly which one, for those inside a composition.
    public var digest: Digest?
    /// Keys that this version does not know.
    public var other = JSON.Members()

    public init(name: AdapterName, range: String? = nil, role: String, digest: Digest? = nil) {
      self.name = name
      self.range = range
      self.role = role
      self.digest = digest
    }
  }
}
