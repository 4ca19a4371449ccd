public import HubModels
public import HubWords

/// Names of tensors in a family of models: AdapterHub's, which repeat the model's module tree and the adapter's name,
/// and the stable ones of the bundle format, which repeat nothing.
public struct AdapterHubNames: Sendable {
  private let family: ModelFamily
  private let encoderLayers: Int?

  /// - Parameter encoderLayers: how many layers come before a decoder's, where there is one
  public init(_ family: ModelFamily, encoderLayers: Int? = nil) {
    self.family = family
    self.encoderLayers = encoderLayers
  }

  /// What stands before an adapter's name, and what it is called today: versions 1 and 2 told adapters of languages and
  /// tasks apart.
  private static let collections: [String: String] = {
    let today = [
      "adapters", "invertible_adapters", "loras", "prefix_tunings", "prefix_gates", "prompt_tunings", "refts",
      "shared_parameters",
    ]
    let old = [
      "attention_text_task_adapters", "attention_text_lang_adapters", "layer_text_task_adapters",
      "layer_text_lang_adapters",
      "attention_adapters", "language_attention_adapters", "layer_adapters", "layer_language_adapters",
    ]
    let names =
      today.map { ($0, $0) } + old.map { ($0, "adapters") } + [("invertible_lang_adapters", "invertible_adapters")]
    return Dictionary(uniqueKeysWithValues: names)
  }()

  /// The stable name of an adapter's tensor, and whether it is only a copy of another one.
  func stable(adapterTensor stored: String, of adapter: String, _ table: NameTable) -> (name: String, isAlias: Bool)? {
    Self.anonymous(stored, of: adapter).flatMap { table.stable(ModelFamilies.unprefixed($0)) }
  }

  /// A name with `@` in the place of the adapter's, and with the collections of today.
  private static func anonymous(_ stored: String, of adapter: String) -> String? {
    let parts = stored.dotted, own = adapter.dotted
    for (index, part) in parts.enumerated() {
      let rest = parts[(index + 1)...]
      guard let collection = collections[String(part)], rest.count > own.count, rest.starts(with: own) else { continue }
      return (parts[..<index] + [Substring(collection), "@"] + rest.dropFirst(own.count)).joined(separator: ".")
    }
    return nil
  }

  func stable(fusionTensor stored: String, of fusion: String) -> String? {
    stacks.lazy.compactMap { stack -> String? in
      guard let (layer, path) = stack.modules.splitLayer(ModelFamilies.unprefixed(stored)) else { return nil }
      return stack.sublayers.lazy.compactMap { place, module in
        let parameter = path.after("\(module).adapter_fusion_layer.\(fusion).") ?? ""
        return ["query.weight", "query.bias", "key.weight", "key.bias", "value.weight"].contains(parameter)
          ? "layers.\(stack.firstLayer + layer).\(place.rawValue).\(parameter)" : nil
      }.first
    }.first
  }

  /// The library's name for a tensor of a fusion.
  public func stored(fusionTensor stable: String, of fusion: String) -> String? {
    let parts = stable.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, parts[0] == "layers", let layer = Int(parts[1]), let place = Site.Place(rawValue: parts[2]),
      let stack = stacks.last(where: { $0.firstLayer <= layer }), let module = stack.sublayers[place]
    else { return nil }
    let path = "\(stack.modules.list).\(layer - stack.firstLayer).\(module)"
    return "\(family.prefix).\(path).adapter_fusion_layer.\(fusion).\(parts[3])"
  }

  private var stacks: [AdapterHubStack] { AdapterHubStack.all(of: family, encoderLayers: encoderLayers) }

  static func stable(headTensor stored: String, of head: String, _ table: NameTable) -> String? {
    stored.after("heads.\(head).").flatMap { table.stable("heads.@.\($0)")?.name }
  }

  /// The library's name for a tensor of an adapter, for export and for comparison.
  ///
  /// - Parameter stable: a name of the bundle format
  public func stored(_ stable: String, of adapter: String, configuration: JSON.Members) -> String? {
    AdapterHubTables(family: family, encoderLayers: encoderLayers).table(for: configuration).foreign(stable).map {
      "\(family.prefix).\($0.replacing(".@.", with: ".\(adapter)."))"
    }
  }

  /// The same for a tensor of a head.
  public static func stored(headTensor stable: String, of head: String, configuration: JSON.Members) -> String? {
    AdapterHubTables.table(forHead: configuration).foreign(stable)?.replacing(".@.", with: ".\(head).")
  }
}
