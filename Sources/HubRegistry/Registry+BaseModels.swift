import Foundation
import HubArchive
public import HubBundle
public import HubWords

import Glibc

extension Failure.Code {
  /// No such base model is in the registry.
  public static let unknownModel = Self("registry/unknown-model", .notFound)
  /// Another base model is in the registry under this name.
  public static let existingModel = Self("registry/model-exists", .refused)
  /// The files of a base model were changed.
  public static let changedModel = Self("registry/changed-model", .badData)
}

extension Registry {
  /// The base models, by name.
  public func baseModels() throws -> [BaseModelRecord] {
    // A copy lies where the registry lies, also after the registry was moved.
    (try reading { try $0.models() } ?? []).map { $0.isCopied ? $0.moved(to: modelFolder(of: $0.name)) : $0 }
  }

  /// - Throws: ``Failure/Code/unknownModel`` with the names that come nearest.
  public func baseModel(_ name: String) throws -> BaseModelRecord {
    let models = try baseModels()
    if let model = models.first(where: { $0.name.text == name }) { return model }
    let near = nearest(to: name, among: models.map(\.name.text))
    throw Failure(
      .unknownModel, "there is no such base model in the registry", at: name,
      hint: near.isEmpty ? "hub model add FOLDER --as NAME" : "did you mean \(near.joined(separator: ", "))?")
  }

  /// Makes a base model known.
  ///
  /// - Parameters:
  ///   - files: what belongs to it, relative to the folder
  ///   - isCopied: whether to keep a copy of these files in the registry instead of relying on the folder
  ///   - describe: examines the model in the folder that it is given, which may be the copy
  /// - Throws: what `describe` throws; ``Failure/Code/existingModel``; ``Failure/Code/changedModel`` if somebody
  ///   changed the files meanwhile.
  @discardableResult
  public func addBaseModel(
    _ name: AdapterName, folder: String, files: [String], copying isCopied: Bool,
    describe: (String) throws -> BaseModelRecord.Description
  ) throws -> BaseModelRecord {
    try prepare()
    let scratch = try ScratchFolder(in: scratchFolder)
    var source = Registry.absolute(folder)
    if isCopied {
      try copy(files, from: source, to: scratch.path + "/model")
      source = scratch.path + "/model"
    }
    let known = try files.map {
      try BaseModelRecord.file($0, in: source, digest: BaseModelRecord.digest(of: "\(source)/\($0)"))
    }
    let description = try describe(source)
    let model = BaseModelRecord(
      name: name, folder: isCopied ? modelFolder(of: name) : source, isCopied: isCopied, description: description,
      files: known,
      addedAt: Date())
    guard try known.map({ try BaseModelRecord.file($0.path, in: source, digest: $0.digest) }) == known else {
      throw Failure(.changedModel, "the files of the model were changed while it was examined", at: folder)
    }
    return try writing {
      if let same = try match(model) { return same }
      if isCopied { try place(source, as: model.folder) }
      try committing {
        try $0.deleteModel(name)
        try $0.insert(model)
      }
      return model
    }
  }

  /// Remembers the times of files that hold what they held, so that they need not be read again to know it.
  ///
  /// A registry that cannot be written stays as it is.
  public func rememberTimes(of model: BaseModelRecord) {
    let touched = model.touchedFiles
    guard !touched.isEmpty else { return }
    try? writing { try committing { try $0.update(touched, of: model.name) } }
  }

  /// Removes a base model, and its copy if the registry has one.
  @discardableResult
  public func removeBaseModel(_ name: String) throws -> BaseModelRecord {
    _ = try baseModel(name)
    return try writing {
      let model = try baseModel(name)
      try committing { try $0.deleteModel(model.name) }
      if model.isCopied { try DurableFolder.remove(modelFolder(of: model.name)) }
      return model
    }
  }

  /// Where the copy of a model lies. A `/` in its name makes no folder, so that no model lies within another.
  func modelFolder(of name: AdapterName) -> String {
    modelsFolder + "/" + name.text.replacing("/", with: "%2F")
  }

  /// The model of this name if it is this one, unchanged.
  private func match(_ model: BaseModelRecord) throws -> BaseModelRecord? {
    guard let other = try baseModels().first(where: { $0.name == model.name }) else { return nil }
    guard other.description == model.description else {
      throw Failure(
        .existingModel, "another base model has this name", at: model.name.text,
        hint: "give this one another name with --as"
          + (other.isCopied ? "" : ", or hub model remove \(model.name), which leaves its folder"))
    }
    let isSame = other.isCopied == model.isCopied && other.folder == model.folder && !other.hasChanged
    return isSame ? other : nil
  }

  private func copy(_ files: [String], from source: String, to target: String) throws {
    try DurableFolder.make(target)
    for path in files {
      let name = try EntryName(path)
      var folder = target
      for component in name.components.dropLast() {
        folder += "/" + component
        try DurableFolder.make(folder)
      }
      _ = try StagedBlob(copying: OpenFile(reading: "\(source)/\(path)"), to: "\(target)/\(path)")
      try DurableFolder.synchronize(folder)
    }
    try DurableFolder.synchronize(target)
  }

  /// Gives a complete copy its name, in place of one that nobody knows.
  private func place(_ source: String, as target: String) throws {
    try DurableFolder.make(modelsFolder)
    try DurableFolder.remove(target)
    guard rename(source, target) == 0 else { throw Failure.system(.unwritableFile, "rename into place", at: target) }
    try DurableFolder.synchronize(modelsFolder)
  }
}
