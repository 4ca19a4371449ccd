import GRDB
public import HubBundle
import HubWords

/// Which installed adapters are wanted: those that meet everything that is set.
public struct AdapterFilter: Hashable, Sendable {
  /// The kind of bundle.
  public var kind: AdapterKind?
  /// The name of the method, such as `seq_bn`.
  public var method: String?
  /// The name of the base model, its architecture, or its fingerprint.
  public var base: String?
  /// A language tag; `zh` takes `zh-Hant` as well.
  public var language: String?
  /// The task as the manifest names it.
  public var task: String?
  /// What the name begins with.
  public var namePrefix: String?
  /// The first digits of the digest.
  public var digestPrefix: String?

  public init(
    kind: AdapterKind? = nil, method: String? = nil, base: String? = nil, language: String? = nil, task: String? = nil,
    namePrefix: String? = nil
  ) {
    self.kind = kind
    self.method = method
    self.base = base
    self.language = language
    self.task = task
    self.namePrefix = namePrefix
  }

  /// Each thing that is asked for, by itself, as it is said.
  var parts: [(text: String, filter: AdapterFilter)] {
    [
      kind.map { ("the kind is not \($0.rawValue)", AdapterFilter(kind: $0)) },
      method.map { ("the method is not \($0)", AdapterFilter(method: $0)) },
      base.map { ("the base is not \($0)", AdapterFilter(base: $0)) },
      language.map { ("the language is not \($0)", AdapterFilter(language: $0)) },
      task.map { ("the task is not \($0)", AdapterFilter(task: $0)) },
    ].compactMap(\.self)
  }

  /// A condition on the table `adapters`, with its arguments.
  var sql: (condition: String, arguments: StatementArguments) {
    var conditions = ["1"]
    var arguments: [String] = []
    func add(_ value: String?, _ condition: String) {
      guard let value else { return }
      conditions.append("(\(condition))")
      arguments += Array(repeating: value, count: condition.count { $0 == "?" })
    }
    add(kind?.rawValue, "kind = ?")
    add(method, "method = ?")
    add(task, "task = ?")
    add(digestPrefix, "substr(digest, 1, length(?)) = ?")
    add(namePrefix, "substr(name, 1, length(?)) = ?")
    add(
      base.map { $0.hasPrefix("sha256:") ? String($0.dropFirst(7)) : $0 },
      "baseName = ? OR architecture = ? OR fingerprint = ?")
    add(
      language?.lowercased(),
      "EXISTS (SELECT 1 FROM languages WHERE adapter = adapters.id AND substr(lower(tag) || '-', 1, length(?) + 1) = ? || '-')"
    )
    return (conditions.joined(separator: " AND "), StatementArguments(arguments))
  }
}
