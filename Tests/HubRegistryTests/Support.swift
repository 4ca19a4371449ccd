import Foundation
import HubBundle
import HubWords
import HubRegistry
import HubTesting
import HubWeights

/// A registry of its own for one test, and adapters to put into it.
struct Shop {
  let scratch: Scratch
  let registry: Registry

  init() throws {
    scratch = try Scratch()
    registry = Registry(scratch("registry"))
  }

  static func fixture(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Fixtures/" + name
  }

  /// A copy of the fixture `classifier` in which the adapter has another name.
  func adapter(named name: String) throws -> String {
    let folder = scratch("renamed")
    try FileManager.default.copyItem(atPath: Self.fixture("classifier"), toPath: folder)
    var members = try JSONObject(JSON(parsing: contents(of: folder + "/adapter_config.json"))).members
    members["name"] = .string(name)
    try scratch.file("renamed/adapter_config.json", Array(JSON.object(members).text().utf8))
    let old = try Safetensors.open(folder + "/adapter.safetensors").tensors
    try SafetensorsWriter.write(
      old.map { $0.renamed($0.name.replacing(".a.", with: ".\(name).")) }, to: folder + "/adapter.safetensors")
    return folder
  }

  /// A bundle in a folder: the fixture `classifier` with another name, version and description, signed.
  func release(_ name: String, _ version: String, note: String = "", signedBy keys: SigningKey...) throws -> String {
    try release(name, version, signedBy: keys) { $0.description = note }
  }

  /// A bundle in a folder: the fixture `classifier` with another name, version and manifest, signed.
  func release(
    _ name: String, _ version: String, signedBy keys: [SigningKey] = [], _ change: (inout Manifest) throws -> Void
  ) throws -> String {
    let folder = scratch("release-\(UInt64.random(in: 0 ... .max))")
    let packed = folder + ".adapter"
    try Parcel.open(Self.fixture("classifier")).pack(to: packed)
    _ = try HubBundle.Bundle.unpack(file: packed, into: folder)
    var manifest = try Manifest(parsing: contents(of: folder + "/manifest.json"))
    (manifest.name, manifest.version) = (try AdapterName(name), try SemanticVersion(version))
    try change(&manifest)
    try Data(manifest.bytes).write(to: URL(fileURLWithPath: folder + "/manifest.json"))
    for key in keys { try HubBundle.Bundle.sign(folder, with: key) }
    return folder
  }

  /// The content of every file below the registry, to tell whether anything was changed.
  var snapshot: [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    for path in FileManager.default.subpaths(atPath: registry.folder) ?? [] {
      files[path] = (try? contents(of: "\(registry.folder)/\(path)")) ?? []
    }
    return files
  }

  func blobs() -> [String] {
    let folder = registry.folder + "/blobs/sha256"
    return (FileManager.default.subpaths(atPath: folder) ?? []).filter { $0.contains("/") }.map { "\(folder)/\($0)" }
      .sorted()
  }
}

extension Registry {
  func resolve(_ text: String) throws -> InstalledAdapter { try resolve(AdapterReference(text)) }
  func remove(_ text: String) throws { try remove(AdapterReference(text)) }
}
