import Dovetail
import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTensor
import HubTesting
import Testing

@Suite struct CompositionPackingTests {
  /// Where compositions are packed, and where they arrive.
  private let workshop: Workshop, other: Workshop

  init() throws {
    (workshop, other) = (try Workshop(), try Workshop())
    for place in [workshop, other] { try place.addModel() }
    for (path, name) in [
      ("stack_two/adapters/de", "de"), ("stack_two/adapters/ner", "ner"), ("seq_bn/adapters/a", "plain"),
    ] {
      try workshop.hub.install(from: workshop.adapter(path), as: AdapterName(name))
    }
    for name in ["a", "b", "c"] {
      try workshop.hub.install(from: workshop.adapter("fuse_stacks/adapters/\(name)"), as: AdapterName(name))
    }
    try workshop.hub.install(from: workshop.adapter("fuse_stacks/fusions/b,c"), as: AdapterName("mix"))
  }

  private func pack(_ setup: String, head: String? = nil, as name: String) throws -> String {
    let file = workshop.scratch("\(name).adapter")
    try Parcel(workshop.hub.builder(of: Composition(parsing: setup), head: head, named: AdapterName(name))).pack(
      to: file)
    return file
  }

  /// What a setup answers, to the last bit.
  private func answer(_ hub: Hub, _ setup: String, head: String? = nil) throws -> String {
    let model = try hub.compose(
      Composition(parsing: setup), on: hub.baseModel("tiny", engine: Engine(threads: 1)), head: head)
    return "\(try model.predict([.text("the camera is great .")]).map { try $0.get() })"
  }

  /// One file carries adapters, fusion and head to another registry, which answers the same.
  @Test(arguments: [
    ("stack(de, ner)", nil), ("drop(1, stack(de, ner))", nil), ("de", "ner"), ("fuse(stack(a, b), c)", "plain"),
    ("stack(de, fuse(b, c, name=mix))", "ner"),
    ("average(b, c, weights=[0.25, 0.75])", "plain"),
  ])
  func whatIsPackedAnswersTheSameElsewhere(_ setup: String, _ head: String?) throws {
    try other.hub.install(from: pack(setup, head: head, as: "whole"))
    #expect(try answer(other.hub, "whole") == answer(workshop.hub, setup, head: head))
  }

  @Test func aPackedCompositionSaysWhatItIs() throws {
    let parcel = try Parcel(
      workshop.hub.builder(of: .stack("de", .fuse("b", "c")), head: "ner", named: AdapterName("whole")))
    let manifest = parcel.bundle.manifest
    #expect(
      try PinnedComposition(parcel.bundle.config).setup.description
        == "stack(de@1.0.0, fuse(b@1.0.0, c@1.0.0, name=mix@1.0.0))")
    #expect(manifest.composed.map(\.reference) == ["b@1.0.0", "c@1.0.0", "de@1.0.0", "mix@1.0.0", "ner@1.0.0"])
    #expect(try manifest.labels == workshop.hub.adapter("ner").manifest.labels)
    #expect(
      try BundleCheck.check(parcel.bundle) == workshop.hub.explain(.stack("de", .fuse("b", "c")), on: "tiny").siteCount)
  }

  @Test func packingIsDeterministicAndCompositionsGrow() throws {
    let first = try pack("stack(de, ner)", as: "pair")
    #expect(try contents(of: pack("stack(de, ner)", as: "pair")) == contents(of: first))
    try workshop.hub.install(from: first)
    let grown = try Parcel(workshop.hub.builder(of: .drop("pair", layers: [0]), named: AdapterName("dropped"))).bundle
    #expect(try PinnedComposition(grown.config).setup.description == "drop(0, stack(de@1.0.0, ner@1.0.0))")
  }

  @Test func itsNameStandsWhereAnAdapterMay() throws {
    try workshop.hub.install(from: pack("stack(de, ner)", as: "pair"))
    try workshop.hub.install(from: pack("de", head: "ner", as: "headed"))
    #expect(try answer(workshop.hub, "drop(1, pair)") == answer(workshop.hub, "drop(1, stack(de, ner))"))
    #expect(try answer(workshop.hub, "stack(a, pair)") == answer(workshop.hub, "stack(a, de, ner)"))
    #expect(try workshop.hub.explain("headed", on: "tiny").heads == workshop.hub.explain("ner", on: "tiny").heads)
    #expect(code { _ = try answer(workshop.hub, "stack(headed, ner)") } == "composition/nesting")
    #expect(code { _ = try answer(workshop.hub, "average(fuse(a, b), pair)") } == "composition/nesting")
  }

  @Test func whatCannotStandTogetherIsNotPacked() throws {
    #expect(code { _ = try pack("base", as: "x") } == "bundle/bad-composition")
    #expect(code { _ = try pack("stack(de, absent)", as: "x") } == "registry/unknown-adapter")
    #expect(code { _ = try pack("fuse(de, ner)", as: "x") } == "registry/unknown-adapter")
    let moved = try workshop.adapter { try workshop.edit($0 + "/adapter_config.json") { $0["model_type"] = "roberta" } }
    try workshop.hub.install(from: moved, as: AdapterName("elsewhere"))
    #expect(code { _ = try pack("stack(de, elsewhere)", as: "x") } == "setup/wrong-base")
  }
}
