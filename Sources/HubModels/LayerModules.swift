import HubWords

/// What a family calls the modules of its layers. Paths of modules begin below a layer; BERT's unless a family says
/// otherwise.
public struct LayerModules: Sendable {
  /// The list of layers.
  public var list = "encoder.layer"
  /// The linear layers, by the places that they are.
  public var linear: [Site.Place: String] = [
    .query: "attention.self.query", .key: "attention.self.key", .value: "attention.self.value",
    .attentionOutput: "attention.output.dense", .intermediate: "intermediate.dense", .output: "output.dense",
  ]
  /// The layer norms, by the sublayers that they belong to.
  public var norms: [Site.Place: String] = [.attention: "attention.output.LayerNorm", .feedForward: "output.LayerNorm"]

  /// What some models of the family call a linear layer otherwise; read, and not written.
  public var otherNames: [Site.Place: String] = [:]
  /// Linear layers that are stored as one, side by side and transposed; their paths in ``linear`` are ours.
  public var joined: JoinedModules?

  /// Linear layers that read the same and are stored as one.
  public struct JoinedModules: Sendable {
    /// The module that holds all.
    public var path: String
    /// The layers in it, in order.
    public var places: [Site.Place]
  }

  /// BERT's names, which most encoders share.
  public static let bert = LayerModules()

  /// The places where an adapter may act, in the order in which a layer reaches them.
  public var places: [Site.Place] {
    Site.Place.allCases.filter { $0.isLinear ? linear[$0] != nil : !$0.isCrossing || linear[.crossQuery] != nil }
  }

  /// The path of a linear layer within the model, such as `encoder.layer.3.attention.self.query`; `nil` where the
  /// family has none.
  public func path(at site: Site) -> String? { linear[site.place].map { "\(list).\(site.layer).\($0)" } }

  /// The path of the layer norm of a sublayer.
  public func normPath(at site: Site) -> String? { norms[site.place].map { "\(list).\(site.layer).\($0)" } }

  /// Takes the name of something in a linear layer apart: `encoder.layer.3.attention.self.query.lora_A.weight` is
  /// `lora_A.weight` in the query of layer 3.
  public func split(_ name: String) -> (site: Site, rest: String)? {
    guard let (layer, path) = splitLayer(name) else { return nil }
    // Only whole components match: `attention.output.dense` is not `output.dense`.
    for names in [linear, otherNames] {
      for (place, module) in names {
        if let rest = path.after(module + ".") { return (Site(layer, place), rest) }
      }
    }
    return nil
  }

  /// The number of a layer, and what follows it in a name.
  public func splitLayer(_ name: String) -> (layer: Int, rest: String)? {
    guard let numbered = name.after(list + "."), let dot = numbered.utf8.firstIndex(of: UInt8(ascii: ".")),
      let layer = Int(numbered[..<dot]), layer >= 0
    else { return nil }
    return (layer, String(numbered[numbered.index(after: dot)...]))
  }
}
