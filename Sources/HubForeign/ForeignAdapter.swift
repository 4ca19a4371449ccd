public import HubBundle
public import HubWords
public import HubWeights

extension Failure.Code {
  /// A folder holds no adapter in any format that Dovetail reads.
  public static let unknownForeignFormat = Self("foreign/unknown", .badData)
  /// A file that the format needs is not there.
  public static let missingForeignFile = Self("foreign/missing-file", .badData)
  /// The format is known, and what it holds is a method, an option or a head that Dovetail does not have.
  public static let unsupportedForeignContent = Self("foreign/unsupported", .badData)
  /// A tensor whose name the format does not know.
  public static let unknownForeignTensor = Self("foreign/unknown-tensor", .badData)
}

/// An adapter that came in somebody else's format, with configuration and weights in the words of our own.
public struct ForeignAdapter: Sendable {
  /// What the files hold.
  public enum Content: Hashable, Sendable {
    case adapter
    /// A fusion of the adapters with these names.
    case fusion(members: [String])
    /// Only a prediction head.
    case head
  }

  /// A prediction head that came with it.
  public struct Head: Sendable {
    /// The name that the head has in its files.
    public var name: String
    /// AdapterHub's keys of `head_config.json`.
    public var configuration: JSON.Members
    /// The head's tensors, by the names of the bundle format.
    public var weights: [StoredTensor]
  }

  /// What it came in.
  public var format: String
  /// The name that the adapter has in its files.
  public var name: String
  /// An adapter, a fusion or only a head.
  public var content: Content
  /// `seq_bn`, `fusion` and so on.
  public var method: String
  /// Whether it is an adapter of a language rather than of a task.
  public var isLanguage: Bool
  /// AdapterHub's keys of `adapter_config.json`.
  public var configuration: JSON.Members
  /// The tensors, by the names of the bundle format.
  public var weights: [StoredTensor]
  /// The head that came with it; `nil` without one.
  public var head: Head?
  /// The base model it was trained on, as far as the files tell.
  public var architecture: String
  /// Other model types whose modules are called the same, where the files do not say which it was.
  public var alternatives: [String] = []
  /// The name of the base model, if the files give one.
  public var modelName: String?
  /// The width of the base model's hidden states.
  public var hiddenSize: Int
  /// How many layers an encoder has before a decoder's, for a base that has both.
  public var encoderLayers: Int?
  /// Everything the files say that has no place of its own.
  public var source: JSON.Members
  /// What could not be carried over, one sentence each.
  public var notes: [String]
}

/// Somebody else's way to keep adapters in a folder. One file under `Formats/`, one line in ``ForeignFormats``.
public protocol ForeignFormat: Sendable {
  /// What people call it.
  static var name: String { get }

  /// Whether the files of a folder look like this format.
  static func recognizes(_ folder: ForeignFolder) -> Bool

  /// Reads a folder.
  ///
  /// - Parameter hints: what the user says where the files do not say
  /// - Throws: ``Failure`` that names the file, key or tensor that is wrong.
  static func read(folder: String, _ hints: ForeignHints) throws -> ForeignAdapter

  /// The files that say the same as a bundle.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/inexpressibleAdapter`` that names the key or the tensor.
  static func files(of adapter: AdapterContent) throws -> ForeignFiles
}

extension ForeignFormat {
  /// Reads a folder that leaves nothing open.
  public static func read(folder: String) throws -> ForeignAdapter { try read(folder: folder, ForeignHints()) }
}

/// The formats that Dovetail reads and writes.
public enum ForeignFormats {
  /// The formats, in the order in which a folder is shown to them.
  public static let all: [any ForeignFormat.Type] = [
    // Both have an adapter_config.json: PEFT's says its `peft_type`.
    PEFT.self,
    AdapterHub.self,
  ]

  /// The format of a folder; `nil` if it is in none of them.
  ///
  /// - Throws: ``Failure`` if the folder cannot be listed.
  public static func format(of path: String) throws -> (any ForeignFormat.Type)? {
    let folder = try ForeignFolder(path)
    return all.first { $0.recognizes(folder) }
  }
}
