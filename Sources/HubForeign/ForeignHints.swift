public import HubWords

/// What the user says of an adapter in a foreign format, where its files leave it open.
public struct ForeignHints: Sendable {
  /// The labels of its head, in the order of its outputs.
  public var labels: [String]?
  /// The `model_type` of the base model that it was made for.
  public var baseType: String?

  public init(labels: [String]? = nil, baseType: String? = nil) {
    self.labels = labels
    self.baseType = baseType
  }

  /// Whether nothing was said.
  public var isEmpty: Bool { labels == nil && baseType == nil }
}

extension ForeignAdapter {
  /// Takes over what the user says.
  ///
  /// - Throws: ``Failure`` where the files say something else, or have no place for it.
  public mutating func complete(with hints: ForeignHints) throws {
    if let labels = hints.labels {
      let count = head?.configuration["num_labels"]?.integer
      guard head != nil, count == nil || count == labels.count, Set(labels).count == labels.count else {
        throw Failure(
          .contradictedHint,
          head == nil
            ? "the adapter has no head to give labels to"
            : "\(labels.count) labels do not fit the head's \(count.map { "\($0) outputs" } ?? "outputs"), which need a name each",
          at: "--labels")
      }
      head?.configuration["label2id"] = .object(
        labels.enumerated().reduce(into: JSON.Members()) { $0[$1.element] = .integer($1.offset) })
    } else if let head, [nil, .null].contains(head.configuration["label2id"]),
      (head.configuration["num_labels"]?.integer ?? 0) > 1,
      head.configuration["head_type"] != "question_answering"
    {
      notes.append(
        "the head's labels have no names: --labels a,b,… gives them, or else the base model's config.json does")
    }
    guard let baseType = hints.baseType else { return }
    guard baseType == architecture || alternatives.contains(baseType) else {
      throw Failure(
        .contradictedHint,
        "the files are of an adapter for \(([architecture] + alternatives).joined(separator: " or "))",
        at: "--base-type")
    }
    (architecture, alternatives) = (baseType, [])
  }
}

extension Failure.Code {
  /// What the user says of an adapter is not what its files say.
  public static let contradictedHint = Self("foreign/hint", .usage)
}
