import HubModels
public import HubBundle
import HubWords
import HubWeights

extension AdapterHub {
  /// The weights are safetensors, which the library reads with `use_safetensors=True`; pickles are not written.
  public static func files(of adapter: AdapterContent) throws -> ForeignFiles {
    let manifest = adapter.manifest, family = try adapter.family()
    let isFusion = manifest.kind == .fusion
    let configuration =
      isFusion
      ? adapter.configuration.members
      : AdapterHubConfiguration.exchanged(try library(adapter.configuration), for: family)
    let name = isFusion ? manifest.members.map(moduleName).joined(separator: ",") : moduleName(manifest.name)
    var files = ForeignFiles()
    let common: JSON.Members = [
      "hidden_size": .integer(manifest.base.hiddenSize),
      "model_class": .string("\(family.className)AdapterModel"),
      "model_name": manifest.base.name.map(JSON.string) ?? .null, "model_type": .string(manifest.base.architecture),
      "name": .string(name),
      "version": "adapters.1.3.0",
    ]
    let names = AdapterHubNames(family, encoderLayers: try adapter.encoderLayers(of: family))
    let weights = try AdapterHubJoined.joined(adapter.weights, adapter.configuration.members, of: family)
    let tensors = try weights.map { tensor in
      let stored =
        isFusion
        ? names.stored(fusionTensor: tensor.name, of: name)
        : names.stored(tensor.name, of: name, configuration: adapter.configuration.members)
      guard let stored else {
        throw Failure(.inexpressibleAdapter, "AdapterHub has no name for the tensor", at: tensor.name)
      }
      return tensor.renamed(stored)
    }
    if isFusion {
      let members = JSON.array(manifest.members.map { .string(moduleName($0)) })
      files.json.append((fusionConfig, common.with(["config": .object(configuration), "adapter_names": members])))
      files.weights.append(("model_adapter_fusion.safetensors", tensors, [:]))
    } else {
      files.json.append((adapterConfig, common.with(["config": .object(configuration)])))
      files.weights.append(("adapter.safetensors", tensors, [:]))
    }
    if let head = adapter.head { try add(head, of: adapter, name, common, to: &files) }
    return files
  }

  private static func add(
    _ head: StoredModule, of adapter: AdapterContent, _ name: String,
    _ common: JSON.Members,
    to files: inout ForeignFiles
  ) throws {
    let type = try JSONObject(head.configuration).string("head_type")
    guard AdapterHubTables.heads.contains(type) else {
      files.notes.append("the head of the type \(type.debugDescription) was not carried over, AdapterHub has none")
      return
    }
    var configuration = head.configuration
    if configuration["label2id"] == nil, let labels = adapter.manifest.labels {
      configuration["label2id"] = .object(
        labels.enumerated().reduce(into: JSON.Members()) { $0[$1.element] = .integer($1.offset) })
    }
    let tensors = try head.weights.map { tensor in
      guard let stored = AdapterHubNames.stored(headTensor: tensor.name, of: name, configuration: configuration)
      else {
        throw Failure(.inexpressibleAdapter, "AdapterHub has no name for the head's tensor", at: tensor.name)
      }
      return tensor.renamed(stored)
    }
    files.json.append((headConfig, common.with(["config": .object(configuration)])))
    files.weights.append(("model_head.safetensors", tensors, [:]))
  }

  /// A name that may stand in the path of a module.
  private static func moduleName(_ name: AdapterName) -> String {
    String(name.text.split(separator: "/").last ?? "").replacing(".", with: "_")
  }

  /// The configuration in the library's words, with the keys that it insists on.
  private static func library(_ c: JSONObject) throws -> JSON.Members {
    let architecture = try c.optionalString("architecture")
    guard architecture.map(AdapterHubConfiguration.supported.contains) ?? true else {
      throw Failure(
        .inexpressibleAdapter, "AdapterHub has no method \((architecture ?? "").debugDescription)",
        at: c.path(to: "architecture"))
    }
    for key in ["targets", "use_rslora", "lora_bias", "shift_positions"] {
      guard let value = c.members[key], !value.isNull, value != false else { continue }
      throw Failure(
        .inexpressibleAdapter, "AdapterHub's format cannot express this", at: c.path(to: key),
        hint: "try hub convert --to peft")
    }
    for (key, value) in [("dora_form", "peft"), ("combine", "words")] where c.members[key]?.string == value {
      throw Failure(
        .inexpressibleAdapter, "AdapterHub computes this differently", at: c.path(to: key),
        hint: "try hub convert --to peft")
    }
    guard c.members["subtract_projection"] != false else {
      throw Failure(
        .inexpressibleAdapter, "AdapterHub would read a DiReFT as a NoReFT", at: c.path(to: "subtract_projection"))
    }
    guard architecture != "union" else {
      let parts = try c.array("configs").enumerated().map { index, part in
        JSON.object(try library(JSONObject(part, path: c.path(to: "configs[\(index)]"))))
      }
      return c.members.with(["configs": .array(parts)])
    }
    let insisted: [String?: JSON.Members] = [
      nil: ["mh_adapter": false, "output_adapter": true, "reduction_factor": 16, "non_linearity": "relu"],
      "reft": ["layers": "all", "prefix_positions": 3, "suffix_positions": 0, "r": 1, "orthogonality": false],
    ]
    return (insisted[architecture] ?? [:]).with(c.members).with(["dora_form": .null])
  }
}
