import HubWeights
public import HubBundle
import HubModels
public import HubWords

extension Failure.Code {
  /// The folder holds something that a bundle cannot hold yet.
  public static let unconvertibleAdapter = Self("foreign/unconvertible", .refused)
}

extension ForeignAdapter {
  /// Writes the adapter as a bundle.
  ///
  /// - Parameters:
  ///   - folder: must not be there yet or be empty
  ///   - name: the adapter's name, where the one that it brings along is not wanted or cannot be used
  ///   - isDurable: whether it must survive a power cut
  /// - Throws: ``Failure`` with codes `foreign/unconvertible` or `name/malformed`, and what ``BundleBuilder`` throws.
  public func writeBundle(
    to folder: String, as name: AdapterName? = nil, isDurable: Bool = true
  ) throws -> Bundle {
    try builder(as: name).write(to: folder, isDurable: isDurable)
  }

  /// The parts of the bundle.
  func builder(as name: AdapterName?) throws -> BundleBuilder {
    guard content != .head else {
      throw Failure(
        .unconvertibleAdapter, "the folder holds a prediction head without its adapter", at: self.name,
        hint: "save the adapter together with its head")
    }
    guard ModelFamilies.family(of: architecture) != nil else {
      throw Failure(
        .unsupportedForeignContent, "adapters of models of the type \(architecture.debugDescription) are not supported",
        at: "model_type", hint: "supported: \(ModelFamilies.all.map(\.modelType).joined(separator: ", "))")
    }
    var base = Manifest.Base(architecture: architecture, hiddenSize: hiddenSize)
    base.name = modelName
    base.encoderLayers = encoderLayers
    if !alternatives.isEmpty { base.other["alternatives"] = .array(alternatives.map(JSON.string)) }
    var manifest = Manifest(name: try name ?? bundleName(), kind: kind, method: method, base: base)
    manifest.labels = labels
    manifest.members = try members.map { member in try locating("the fusion's member") { try AdapterName(member) } }
    manifest.source = JSON.Members().with(["format": .string(format)]).with(source)
    return BundleBuilder(
      manifest: manifest, config: .object(configuration), weights: weights,
      head: head.map { StoredModule(configuration: $0.configuration, weights: $0.weights) })
  }

  private var members: [String] { if case .fusion(let members) = content { members } else { [] } }

  private var kind: AdapterKind {
    if case .fusion = content { return .fusion }
    if isLanguage { return .language }
    return head == nil ? .adapter : .task
  }

  /// The name in the files where it is one that a bundle may have. The library calls a fusion by its members,
  /// `a,b,c`: it then takes the name of its head, or else becomes `a+b+c`.
  private func bundleName() throws -> AdapterName {
    let candidates: [String?] = content.isFusion ? [name, head?.name, members.joined(separator: "+")] : [name]
    for candidate in candidates.compactMap({ $0 }) {
      if let name = try? AdapterName(candidate) { return name }
    }
    do {
      return try AdapterName(name)
    } catch let failure as Failure {
      throw Failure(failure.code, failure.message, at: failure.subject, hint: "give it another name with --as")
    }
  }

  /// The labels in the order of the head's outputs; none where the file does not number them 0, 1, 2 and so on. They
  /// stay in the head's configuration as they are.
  private var labels: [String]? {
    guard let entries = head?.configuration["label2id"]?.object?.entries, !entries.isEmpty else { return nil }
    var labels = [String?](repeating: nil, count: entries.count)
    for entry in entries {
      guard let id = entry.value.integer, labels.indices.contains(id), labels[id] == nil else { return nil }
      labels[id] = entry.key
    }
    return labels.compactMap { $0 }
  }
}

extension ForeignAdapter.Content {
  fileprivate var isFusion: Bool { if case .fusion = self { true } else { false } }
}
