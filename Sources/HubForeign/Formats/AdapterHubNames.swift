public import HubManifest

/// Names of tensors: AdapterHub's, which repeat the model's module tree and the adapter's name, and the stable ones of
/// the bundle format, which do neither.
public enum AdapterHubNames {
  /// Where the sites are in the module tree of BERT and its relatives.
  private static let sites = [("attention", "attention.output."), ("feed_forward", "output.")]

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
  static func stable(
    adapterTensor stored: String, of adapter: String, _ table: NameTable
  ) -> (name: String, isAlias: Bool)? {
    guard let name = anonymous(stored, of: adapter) else { return nil }
    return table.stable((ModuleNames.of(tensor: stored) ?? .bert).bert(name))
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

  static func stable(fusionTensor stored: String, of fusion: String) -> String? {
    guard let (site, rest) = site(of: (ModuleNames.of(tensor: stored) ?? .bert).bert(stored)),
      let parameter = rest.after("adapter_fusion_layer.\(fusion).")
    else { return nil }
    return ["query.weight", "query.bias", "key.weight", "key.bias", "value.weight"].contains(parameter)
      ? "\(site).\(parameter)" : nil
  }

  /// The library's name for a tensor of a fusion.
  public static func stored(fusionTensor stable: String, of fusion: String, model: String) -> String? {
    let parts = stable.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count == 4, parts[0] == "layers", let path = sites.first(where: { $0.0 == parts[2] })?.1 else {
      return nil
    }
    return ModuleNames.of(model: model)?.own(
      "encoder.layer.\(parts[1]).\(path)adapter_fusion_layer.\(fusion).\(parts[3])")
  }

  static func stable(headTensor stored: String, of head: String, _ table: NameTable) -> String? {
    stored.after("heads.\(head).").flatMap { table.stable("heads.@.\($0)")?.name }
  }

  /// The library's name for a tensor of an adapter or a head, for export and for comparison.
  ///
  /// - Parameters:
  ///   - stable: a name of the bundle format
  ///   - model: the base model's `model_type`
  ///   - headConfiguration: given for a head's tensors
  public static func stored(
    _ stable: String, of adapter: String, model: String, configuration: JSON.Members,
    headConfiguration: JSON.Members? = nil
  ) -> String? {
    if let headConfiguration {
      return AdapterHubTables.table(forHead: headConfiguration).foreign(stable)?.replacing(".@.", with: ".\(adapter).")
    }
    return AdapterHubTables.table(for: configuration).foreign(stable).flatMap { bert in
      ModuleNames.of(model: model)?.own(bert).replacing(".@.", with: ".\(adapter).")
    }
  }

  /// `encoder.layer.{i}.output.` and so on: the stable name of the site, and what follows.
  private static func site(of name: String) -> (site: String, rest: String)? {
    guard let rest = name.after("encoder.layer."), let dot = rest.firstIndex(of: "."), let layer = Int(rest[..<dot]),
      layer >= 0
    else { return nil }
    let path = String(rest[rest.index(after: dot)...])
    for (place, module) in sites { if let end = path.after(module) { return ("layers.\(layer).\(place)", end) } }
    return nil
  }
}
