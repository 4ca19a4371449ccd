import Dovetail
import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTensor
import HubTesting
import HubWeights
import Testing

/// What is wrong with an adapter is found before it is installed, and leaves the registry as it was.
@Suite struct RefusalTests {
  struct Fault: CustomTestStringConvertible, Sendable {
    let name: String
    let code: String
    /// A part of what the failure points at or says.
    let mention: String
    let spoil: @Sendable (Workshop, String) throws -> Void

    var testDescription: String { name }
  }

  static let faults: [Fault] = [
    Fault(name: "unknown method", code: "foreign/unsupported", mention: "lora9") {
      try $0.setOption("architecture", "lora9", in: $1)
    },
    Fault(name: "unknown option", code: "adapter/unsupported", mention: "shiny") {
      try $0.setOption("shiny", 3, in: $1)
    },
    Fault(name: "reduction factor of zero", code: "adapter/configuration", mention: "reduction_factor") {
      try $0.setOption("reduction_factor", 0, in: $1)
    },
    Fault(name: "unknown non-linearity", code: "adapter/configuration", mention: "wobble") {
      try $0.setOption("non_linearity", "wobble", in: $1)
    },
    Fault(name: "no site", code: "adapter/idle", mention: "no site") { workshop, folder in
      try workshop.setOption("leave_out", [0, 1, 2], in: folder)
      try workshop.retensor(folder + "/adapter.safetensors") { _ in [] }
    },
    Fault(name: "wrong shape", code: "weights/unfitting", mention: "feed_forward.down") {
      try $0.setOption("reduction_factor", 2, in: $1)
    },
    Fault(name: "missing tensor", code: "weights/unfitting", mention: "layers.0.feed_forward.up.bias") {
      workshop, folder in
      try workshop.retensor(folder + "/adapter.safetensors") {
        $0.filter { !$0.name.contains("layer.0.output.adapters.a.adapter_up.bias") }
      }
    },
    Fault(name: "tensor that nothing consumes", code: "weights/unfitting", mention: "attention.down.weight") {
      workshop, folder in
      try workshop.retensor(folder + "/adapter.safetensors") { tensors in
        tensors + [
          try StoredTensor(
            name: "bert.encoder.layer.0.attention.output.adapters.a.adapter_down.0.weight", shape: [1, 1], floats: [0])
        ]
      }
    },
    Fault(name: "tensor of another module", code: "foreign/unknown-tensor", mention: "bert.pooler") {
      workshop, folder in
      try workshop.retensor(folder + "/adapter.safetensors") {
        $0 + [try StoredTensor(name: "bert.pooler.dense.weight", shape: [1], floats: [0])]
      }
    },
    Fault(name: "not a number", code: "tensor/not-finite", mention: "layers.") { workshop, folder in
      try workshop.retensor(folder + "/adapter.safetensors") { tensors in
        [
          try StoredTensor(
            name: tensors[0].name, shape: tensors[0].shape, floats: Array(repeating: .nan, count: tensors[0].count))
        ] + tensors.dropFirst()
      }
    },
    Fault(name: "no weights", code: "foreign/missing-file", mention: "adapter.safetensors") {
      try FileManager.default.removeItem(atPath: $1 + "/adapter.safetensors")
    },
    Fault(name: "no head weights", code: "foreign/missing-file", mention: "model_head") {
      try FileManager.default.removeItem(atPath: $1 + "/model_head.safetensors")
    },
    Fault(name: "truncated weights", code: "safetensors/", mention: "adapter.safetensors") { _, folder in
      let path = folder + "/adapter.safetensors"
      try Data(contents(of: path).dropLast(5)).write(to: URL(filePath: path))
    },
    Fault(name: "configuration that is no JSON", code: "json/malformed", mention: "adapter_config.json") {
      try Data("{".utf8).write(to: URL(filePath: $1 + "/adapter_config.json"))
    },
    Fault(name: "unknown head", code: "foreign/unsupported", mention: "oracle") { workshop, folder in
      try workshop.edit(folder + "/head_config.json") { members in
        members["config"] = .object((members["config"]?.object ?? [:]).with(["head_type": "oracle"]))
      }
    },
    Fault(name: "labels without an order", code: "head/configuration", mention: "label2id") { workshop, folder in
      try workshop.edit(folder + "/head_config.json") { members in
        members["config"] = .object((members["config"]?.object ?? [:]).with(["label2id": ["a": 0, "b": 0, "c": 9]]))
      }
    },
    Fault(name: "nothing at all", code: "registry/nothing-to-install", mention: "adapterhub") { _, folder in
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
        try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
      }
    },
  ]

  @Test(arguments: faults)
  func aSpoiltAdapterIsRefused(fault: Fault) throws {
    let workshop = try Workshop()
    try workshop.hub.install(from: workshop.adapter(), as: AdapterName("good"))
    let before = workshop.registryContents
    let spoilt = try workshop.adapter { try fault.spoil(workshop, $0) }
    let failure = try #require(throws: Failure.self) { try workshop.hub.install(from: spoilt, as: AdapterName("bad")) }
    #expect(failure.code.name.hasPrefix(fault.code), "\(failure.code.name): \(failure)")
    #expect(failure.description.contains(fault.mention), "\(failure)")
    #expect(workshop.registryContents == before)
    #expect(try workshop.hub.registry.verify().findings.isEmpty)
  }

  @Test func anAdapterOfAnotherBaseIsRefused() throws {
    let workshop = try Workshop()
    try workshop.addModel()
    let engine = try Engine(threads: 1)
    try workshop.hub.install(from: workshop.adapter())
    let base = try workshop.hub.baseModel("tiny", engine: engine)
    _ = try workshop.hub.compose("a", on: base)

    for (name, key, value) in [("wider", "hidden_size", 64), ("roberta", "model_type", "roberta")]
      as [(String, String, JSON)]
    {
      let folder = try workshop.adapter { folder in
        try workshop.edit(folder + "/adapter_config.json") { members in members[key] = value }
        if key == "hidden_size" { try workshop.setOption("reduction_factor", 1, in: folder) }
      }
      if key == "hidden_size" {
        // Its weights give it away already.
        #expect { try workshop.hub.install(from: folder, as: AdapterName(name)) } throws: {
          ($0 as? Failure)?.code.name == "weights/unfitting"
        }
      } else {
        try workshop.hub.install(from: folder, as: AdapterName(name))
        #expect { try workshop.hub.compose(.adapter(name), on: base) } throws: { ($0 as? Failure)?.code == .wrongBase }
      }
    }
  }

  @Test func namesAndHeadsThatAreNotThereAreSaid() throws {
    let workshop = try Workshop()
    try workshop.addModel()
    try workshop.hub.install(from: workshop.adapter())
    try workshop.hub.install(from: workshop.adapter("stack_two/adapters/de"))
    let base = try workshop.hub.baseModel("tiny", engine: Engine(threads: 1))
    #expect { try workshop.hub.compose(.stack("de", "zz"), on: base) } throws: {
      ($0 as? Failure)?.code.category == .notFound
    }
    #expect { try workshop.hub.compose("de", on: base) } throws: { ($0 as? Failure)?.code == .missingHead }
    #expect { try workshop.hub.compose(nil, on: base) } throws: { ($0 as? Failure)?.code == .missingHead }
    #expect { try workshop.hub.compose(.fuse("a", "a"), on: base) } throws: {
      ($0 as? Failure)?.code.category == .notFound
    }
    _ = try workshop.hub.compose("de", on: base, head: "a")
    #expect { try workshop.hub.baseModel("huge") } throws: { ($0 as? Failure)?.code.category == .notFound }
  }

  @Test func aModelThatChangedIsRefused() throws {
    let workshop = try Workshop()
    let folder = try workshop.addModel()
    let path = folder + "/config.json"
    try Data(contents(of: path) + [0x0A]).write(to: URL(filePath: path))
    #expect { try workshop.hub.baseModel("tiny") } throws: { ($0 as? Failure)?.code.name == "registry/changed-model" }
  }
}
