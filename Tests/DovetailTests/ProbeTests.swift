import Dovetail
import Foundation
import HubBundle
import HubForeign
import HubWords
import HubRegistry
import HubTensor
import HubTesting
import HubWeights
import Testing

@Suite struct ProbeTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.addModel()
  }

  private func base(_ name: String = "tiny") throws -> Base {
    try workshop.hub.baseModel(name, engine: Engine(threads: 1))
  }

  private func content(_ bundle: HubBundle.Bundle) -> AdapterContent {
    AdapterContent(bundle)
  }

  /// An adapter, packed with its probe.
  private func packed(_ path: String = "seq_bn/adapters/a") throws -> (file: String, probe: Probe) {
    let parcel = try Parcel.open(workshop.adapter(path))
    let probe = try base().probe(content(parcel.bundle), text: "the camera is great .")
    let file = workshop.scratch("\(parcel.bundle.manifest.name).adapter")
    try parcel.described(probe: probe).pack(to: file)
    return (file, probe)
  }

  @Test(arguments: ["seq_bn/adapters/a", "stack_two/adapters/de", "stack_two/adapters/ner"])
  func whatIsPackedIsAnsweredAgain(_ path: String) throws {
    let (file, probe) = try packed(path)
    let installed = try workshop.hub.install(from: file).adapter
    #expect(try installed.probe() == probe)
    #expect(probe.state.count == 32)
    let (count, findings) = try workshop.hub.verifyProbes(on: base())
    #expect(count == 1 && findings.isEmpty)
  }

  /// The numbers are those that the head answers with.
  @Test func logitsAreThoseOfTheHead() throws {
    let (file, probe) = try packed()
    try workshop.hub.install(from: file)
    let answer = try workshop.hub.compose("a", on: base()).classify("the camera is great .")
    #expect(answer.logits.map(Double.init) == probe.logits)
  }

  @Test func anAnswerThatMovedIsFound() throws {
    let (_, probe) = try packed()
    let parcel = try Parcel.open(workshop.adapter())
    for (index, moved) in [(0, 2 * Probe.tolerance), (7, 1)] {
      var state = probe.state
      state[index] += moved * max(1, state.map(abs).max() ?? 1)
      let changed = try Parcel.open(workshop.adapter()).described(
        probe: Probe(text: probe.text, base: probe.base, state: state, logits: probe.logits))
      #expect(changed.bundle.digest != parcel.bundle.digest)
      let file = workshop.scratch("moved.adapter")
      try changed.pack(to: file)
      try workshop.hub.registry.install(from: file, as: AdapterName("moved\(index)"))
    }
    let (count, findings) = try workshop.hub.verifyProbes(on: base())
    #expect(count == 2)
    #expect(findings.map(\.subject) == ["moved0@1.0.0", "moved7@1.0.0"])
    #expect(findings.allSatisfy { $0.kind == "probe" && $0.message.contains("the answer moved by") })
  }

  @Test func probesOfOtherBasesAreLeftAlone() throws {
    try workshop.hub.install(from: packed().file)
    try workshop.addModel("other") { folder in
      try workshop.retensor(folder + "/model.safetensors") { tensors in
        try tensors.map { try StoredTensor(name: $0.name, shape: $0.shape, floats: $0.floats().map { $0 * 1.5 }) }
      }
    }
    #expect(try workshop.hub.verifyProbes(on: base("other")).count == 0)
  }

  @Test func fusionsHaveNoProbe() throws {
    let fusion = try Parcel.open(workshop.adapter("fuse_stacks/fusions/b,c")).bundle
    #expect(throws: Failure.self) { try base().probe(content(fusion), text: "the camera") }
  }
}
