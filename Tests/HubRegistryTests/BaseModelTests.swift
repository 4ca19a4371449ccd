import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import Testing

@Suite struct BaseModelTests {
  let shop: Shop
  let folder: String
  var registry: Registry { shop.registry }
  let description = BaseModelRecord.Description(
    architecture: "bert", hiddenSize: 32, layers: 2, fingerprint: Digest(of: []))

  init() throws {
    shop = try Shop()
    folder = try shop.scratch.folder("model")
    try shop.scratch.file("model/config.json", Array("{}".utf8))
    try shop.scratch.file("model/model.safetensors", Array(repeating: 7, count: 1000))
  }

  @discardableResult
  private func add(
    _ name: String, copying: Bool = false, _ description: BaseModelRecord.Description? = nil
  ) throws -> BaseModelRecord {
    try registry.addBaseModel(
      AdapterName(name), folder: folder, files: ["config.json", "model.safetensors"], copying: copying
    ) { _ in description ?? self.description }
  }

  @Test func inPlaceModelsAreWatched() throws {
    try add("tiny")
    let model = try registry.baseModel("tiny")
    #expect(!model.isCopied)
    #expect(model.description == description)
    #expect(!model.hasChanged)
    try shop.scratch.file("model/config.json", Array("{ }".utf8))
    #expect(model.changedFiles == ["config.json"])
    #expect(try registry.verify().findings.map(\.kind) == ["model"])
    try add("tiny")
    #expect(try !registry.baseModel("tiny").hasChanged)
  }

  @Test func copiesMoveWithTheRegistry() throws {
    try add("tiny", copying: true)
    let place = shop.scratch("elsewhere")
    try FileManager.default.moveItem(atPath: registry.folder, toPath: place)
    let moved = Registry(place)
    #expect(try moved.baseModel("tiny").folder == place + "/models/tiny")
    #expect(try !moved.baseModel("tiny").hasChanged && moved.verify().findings.isEmpty)
  }

  @Test func copiesBelongToTheRegistry() throws {
    let model = try add("org/tiny", copying: true)
    try FileManager.default.removeItem(atPath: folder)
    #expect(!model.hasChanged)
    #expect(try contents(of: model.folder + "/model.safetensors").count == 1000)
    #expect(try registry.collect().paths.isEmpty)
    try registry.removeBaseModel("org/tiny")
    #expect(!FileManager.default.fileExists(atPath: model.folder))
    #expect(code { _ = try registry.baseModel("org/tiny") } == "registry/unknown-model")
  }

  @Test func anotherModelOfTheSameNameIsRefused() throws {
    try add("tiny")
    let other = BaseModelRecord.Description(
      architecture: "bert", hiddenSize: 32, layers: 2, fingerprint: Digest(of: [1]))
    #expect(code { try add("tiny", other) } == "registry/model-exists")
    #expect(try registry.baseModels().count == 1)
  }

  @Test func copiesThatNobodyKnowsAreCollected() throws {
    try add("tiny")
    let orphan = registry.folder + "/models/orphan"
    try FileManager.default.createDirectory(atPath: orphan, withIntermediateDirectories: true)
    #expect(try registry.collect().paths == [orphan])
    #expect(!FileManager.default.fileExists(atPath: orphan))
  }
}
