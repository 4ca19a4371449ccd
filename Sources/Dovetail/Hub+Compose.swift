import HubAdapters
public import HubWords
import HubRegistry
public import HubTensor
import HubTransformer
import HubWeights

extension Hub {
  /// Loads a registered base model with its tokenizer.
  ///
  /// - Parameter precision: of products with the model's weights; adapters, norms and heads stay in float32
  /// - Throws: ``Failure``: no such model, its files changed since it was registered, or they cannot be loaded.
  public func baseModel(_ name: String, precision: Precision = .float32, engine: Engine? = nil) throws -> Base {
    let record = try registry.baseModel(name)
    let changed = record.changedFiles
    guard changed.isEmpty else {
      throw Failure(
        .changedModel,
        "files of the base model \(name.debugDescription) changed since it was added: \(changed.joined(separator: ", "))",
        at: record.folder,
        hint: record.isCopied
          ? "put back what was there; hub model add FOLDER --as OTHER-NAME --copy adds the model from elsewhere"
          : "put back what was there, or hub model remove \(name) and add the folder again: its files stay")
    }
    registry.rememberTimes(of: record)
    return try Base(
      name: name, folder: record.folder, fingerprint: record.description.fingerprint, precision: precision,
      cache: .users(),
      engine: engine ?? Engine())
  }

  /// Puts installed adapters together on a base model, with the head that answers. The name of an installed composition
  /// stands for what it is made of.
  ///
  /// - Parameters:
  ///   - composition: `nil` runs the base model alone, which then needs a head
  ///   - head: the adapter whose head answers; without it, the last adapter of a stack, or the fusion
  ///   - allowingOtherWeights: accepts adapters that were trained on other weights of the same architecture
  ///   - namingWords: where no adapter has a head, the one that a decoder or encoder-decoder writes with answers
  /// - Throws: ``Failure``: names that are not installed, adapters of another base, weights that do not fit, a setup
  ///   without a head.
  public func compose(
    _ composition: Composition?, on base: Base, head: String? = nil, allowingOtherWeights: Bool = false,
    namingWords: Bool = false
  ) throws -> ComposedModel {
    let assembly = Assembly(
      registry: registry, identity: base.identity, shape: base.model.shape, engine: base.engine,
      allowingOtherWeights: allowingOtherWeights, labels: base.labels)
    let expanded = try composition.map(registry.expanded), head = head ?? expanded?.head
    let setup = try (expanded?.setup).map { try assembly.setup($0) }
    let owners = try registry.headOwners(expanded?.setup, named: head)
    if namingWords, owners.count == 1, try owners[0]?.head() == nil, let own = try base.writingHead.get() {
      return ComposedModel(base: base, setup: setup, head: own)
    }
    let heads = try owners.map { try assembly.head(of: $0, engine: base.engine) }
    guard heads.count >= setup?.copies ?? 1 else {
      throw Failure(
        .missingHead, "each branch of a parallel block answers with its own head",
        hint: "leave out --head")
    }
    return ComposedModel(base: base, setup: setup, heads: heads)
  }
}
