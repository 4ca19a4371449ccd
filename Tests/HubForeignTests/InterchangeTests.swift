import Foundation
import HubBundle
import HubForeign
import HubWords
import HubTesting
import HubWeights
import Testing

/// What goes out in a foreign format and comes back is what it was.
@Suite struct InterchangeTests {
  private static let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../ParityTests/Cases"
  ).standardizedFileURL

  private static let folders: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: cases.path)) ?? []
    return names.filter { !$0.hasPrefix("error") && $0 != "bases" }.sorted().flatMap { name in
      ["adapters", "fusions"].flatMap { kind in
        ((try? FileManager.default.contentsOfDirectory(atPath: cases.appending(path: "\(name)/\(kind)").path)) ?? [])
          .sorted().map { "\(name)/\(kind)/\($0)" }
      }
    }
  }()

  private func format(of folder: String) throws -> any ForeignFormat.Type {
    try #require(try ForeignFormats.format(of: folder))
  }

  private func content(_ adapter: ForeignAdapter, in scratch: Scratch) throws -> AdapterContent {
    let bundle = try adapter.writeBundle(to: scratch("bundle-\(UUID().uuidString)"), as: AdapterName("x"))
    return AdapterContent(bundle)
  }

  /// Values by name and shape.
  private func values(_ tensors: [StoredTensor]) throws -> [String: [Float]] {
    Dictionary(uniqueKeysWithValues: try tensors.map { ("\($0.name) \($0.shape)", try $0.floats()) })
  }

  @Test(arguments: folders)
  func comesBackAsItWas(folder: String) throws {
    let scratch = try Scratch(), path = Self.cases.appending(path: folder).path, format = try format(of: path)
    let original = try format.read(folder: path)
    let target = scratch("out")
    _ = try ForeignFormats.write(content(original, in: scratch), as: format, to: target)
    let back = try format.read(folder: target)
    #expect(try values(back.weights) == values(original.weights))
    #expect(try back.head.map { try values($0.weights) } == original.head.map { try values($0.weights) })
    #expect(back.architecture == original.architecture && back.hiddenSize == original.hiddenSize)
    for entry in original.configuration.entries where !entry.value.isNull {
      #expect(
        back.configuration[entry.key]?.number ?? -1 == entry.value.number ?? -1
          && (entry.value.number != nil || said(back.configuration[entry.key]) == said(entry.value)), "\(entry.key)")
    }
  }

  /// Without what is null, in the parts of a union too.
  private func said(_ value: JSON?) -> JSON? {
    if let parts = value?.array { return .array(parts.compactMap(said)) }
    guard let members = value?.object else { return value }
    return .object(
      members.entries.filter { !$0.value.isNull }.reduce(into: JSON.Members()) { $0[$1.key] = said($1.value) })
  }

  @Test func saysWhatAFormatCannotSay() throws {
    let scratch = try Scratch()
    func refusal(_ folder: String, _ format: any ForeignFormat.Type) throws -> String? {
      let path = Self.cases.appending(path: folder).path,
        content = try content(self.format(of: path).read(folder: path), in: scratch)
      let target = scratch("refused-\(UUID().uuidString)")
      let failure = #expect(throws: Failure.self) { try ForeignFormats.write(content, as: format, to: target) }
      #expect(failure?.code == .inexpressibleAdapter && !FileManager.default.fileExists(atPath: target))
      return failure?.subject
    }
    #expect(try refusal("seq_bn/adapters/a", PEFT.self) == "architecture")
    #expect(try refusal("dora/adapters/a", PEFT.self) == "use_dora")
    #expect(try refusal("vera/adapters/a", PEFT.self) == "vera_d")
    #expect(try refusal("peft_lora_patterns/adapters/peft", AdapterHub.self) == "targets")
    #expect(try refusal("peft_dora/adapters/peft", AdapterHub.self)?.hasPrefix("targets") == true)
    #expect(try refusal("peft_prompt/adapters/peft", AdapterHub.self) == "combine")
    #expect(try refusal("peft_prefix/adapters/peft", AdapterHub.self) == "shift_positions")
    #expect(try refusal("stack_fuse/fusions/a,b", PEFT.self) == "kind")
  }

  /// A PEFT folder after a change of its configuration.
  private func spoilt(_ scratch: Scratch, _ key: String, _ value: JSON) throws -> String {
    let folder = scratch("peft-\(UUID().uuidString)")
    try FileManager.default.copyItem(
      atPath: Self.cases.appending(path: "peft_lora_classifier/adapters/peft").path, toPath: folder)
    let file = URL(filePath: folder + "/adapter_config.json")
    var members = try JSONObject(JSON(parsing: Array(Data(contentsOf: file)))).members
    members[key] = value
    try Data(JSON.object(members).text().utf8).write(to: file)
    return folder
  }

  @Test(
    arguments: [
      ("peft_type", "XLORA"), ("unknown_key", "of tomorrow"), ("bias", "all"),
      ("use_qalora", true),
      ("layer_replication", [[0, 1]]),
      ("trainable_token_indices", [1]), ("target_parameters", ["x"]), ("alpha_pattern", ["(?=a)": 3]),
      ("alpha_pattern", ["query": "much"]),
      ("lora_alpha", "eight"), ("auto_mapping", ["base_model_class": "BertForNothing"]), ("peft_type", 7),
    ] as [(String, JSON)])
  func refusesWhatWouldChangeTheResult(key: String, value: JSON) throws {
    let scratch = try Scratch()
    let failure = try #require(throws: Failure.self) { try PEFT.read(folder: spoilt(scratch, key, value)) }
    #expect(failure.subject?.contains(key == "auto_mapping" ? "modules_to_save" : key) == true, "\(failure)")
  }

  @Test(
    arguments: [
      ("alpha_pattern", ["(a+)+$": 3]), ("revision", "main"), ("lora_dropout", 0.1), ("inference_mode", false),
    ]
      as [(String, JSON)])
  func toleratesWhatDoesNot(key: String, value: JSON) throws {
    let scratch = try Scratch(), adapter = try PEFT.read(folder: spoilt(scratch, key, value))
    #expect(adapter.source[key] == value && adapter.head?.weights.count == 2)
  }
}
