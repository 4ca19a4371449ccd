import HubAdapters
public import HubBundle
public import HubWords
public import HubRegistry
import HubTensor
import HubTokenizers
import HubTransformer
import HubWeights

extension Failure.Code {
  /// An adapter of a kind that says nothing by itself.
  public static let unprobedAdapter = Self("probe/unsuitable", .usage)
}

extension Base {
  /// What an adapter alone makes of a text on this base model.
  ///
  /// - Throws: ``Failure``: a fusion, which is nothing without its members; an adapter of another base.
  public func probe(_ content: AdapterContent, text: String) throws -> Probe {
    guard content.manifest.kind != .fusion else {
      throw Failure(.unprobedAdapter, "a fusion cannot have a probe: without its members it computes nothing")
    }
    guard let fingerprint = identity.fingerprint else {
      throw Failure(.unprobedAdapter, "the base model has no fingerprint", at: name)
    }
    try content.manifest.base.checkFits(identity, allowingOtherWeights: false)
    let method = try AdapterMethods.load(
      content.configuration, StoredWeights(content.weights), shape: model.shape, engine: engine)
    let setup = try Setup(.adapter(content.manifest.name.text)) { _ in
      method
    } fusion: { _, _, _ in
      nil
    }
    let encoding = try tokenizer.encode(text), context = Context(engine)
    let tokens = TokenBatch([(ids: encoding.ids.map(Int.init), typeIDs: encoding.typeIDs.map(Int.init))])
    let hidden = try model(tokens, with: ComposedAdapters(setup, for: tokens.sequences), in: context)
    let input = HeadInput(hidden, setup.lengthened(tokens.sequences), base: model, inverting: setup.inverting)
    let logits = try head(of: content).map { try $0.logits(input, in: context) }
    return Probe(
      text: text, base: fingerprint, state: hidden.row(0).map(Double.init),
      logits: logits.map { table in (0..<table.rows).flatMap { table.row($0).map(Double.init) } } ?? [])
  }

  /// The head, if one text is enough for it, and its logits are few.
  private func head(of content: AdapterContent) throws -> (any Head)? {
    guard let stored = content.head else { return nil }
    let head = try Heads.load(
      JSONObject(stored.configuration), StoredWeights(stored.weights), shape: model.shape, engine: engine)
    return [.label, .number, .labels, .tokenLabel, .span].contains(head.answer) ? head : nil
  }
}

extension Hub {
  /// Asks the installed adapters that have a probe for this base model whether they still answer as they did.
  ///
  /// - Returns: how many there are, and what moved.
  public func verifyProbes(on base: Base) throws -> (count: Int, findings: [Finding]) {
    var count = 0, findings: [Finding] = []
    for adapter in try list() {
      do {
        guard let probe = try adapter.probe(), probe.base == base.identity.fingerprint else { continue }
        count += 1
        let deviation = try probe.deviation(of: base.probe(adapter.content(), text: probe.text))
        guard deviation > Probe.tolerance else { continue }
        findings.append(
          Finding(
            kind: "probe", subject: adapter.reference,
            message: "the answer moved by \(Float(deviation)), but only \(Float(Probe.tolerance)) is allowed"))
      } catch let failure as Failure {
        findings.append(
          Finding(kind: "probe", subject: adapter.reference, message: "the probe cannot be run: \(failure.message)"))
      }
    }
    return (count, findings)
  }
}
