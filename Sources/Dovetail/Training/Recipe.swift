import Foundation
import HubRegistry
public import HubWords

extension Failure.Code {
  /// A recipe has a key or a value that makes no sense, or lacks one.
  public static let invalidRecipe = Self("recipe/invalid", .configuration)
}

/// What is learned from what, and how: the keys and values of a recipe, checked and each with its place.
public struct Recipe: Sendable {
  /// A value, and where it stands.
  struct Value: Sendable {
    let json: JSON
    /// Such as `cr.yaml: line 3, column 7`.
    let place: String
  }

  /// The folder that paths begin from.
  let folder: String
  private(set) var values: [String: Value]

  /// - Parameters:
  ///   - values: by their keys; each is checked
  ///   - folder: that paths begin from
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidRecipe`` at the value's place.
  init(_ values: [(key: String, value: Value)], folder: String) throws {
    self.folder = folder
    self.values = [:]
    for (key, value) in values { self.values[key] = try Self.checked(value, at: key) }
  }

  /// A recipe as a bundle remembers it.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidRecipe``.
  public init(recorded members: JSON.Members, folder: String) throws {
    try self.init(
      members.entries.map { ($0.key, Value(json: $0.value, place: "recipe.\($0.key)")) }, folder: folder)
  }

  /// Keys and values in the order of the keys, for a bundle and for a digest.
  public var members: JSON.Members {
    RecipeKey.all.reduce(into: JSON.Members()) { result, key in
      if let value = values[key.name] { result[key.name] = value.json }
    }
  }

  private static func checked(_ value: Value, at name: String) throws -> Value {
    guard let key = RecipeKey.all.first(where: { $0.name == name }) else {
      let near = nearest(to: name, among: RecipeKey.all.map(\.name))
      throw Failure(
        .invalidRecipe, "recipes have no key \(name.debugDescription)", at: value.place,
        hint: near.isEmpty
          ? "hub train --init TASK prints a recipe with every key" : "did you mean \(near.joined(separator: ", or "))?")
    }
    func refuse(_ wanted: String, hint: String? = nil) -> Failure {
      Failure(
        .invalidRecipe, "\(name) is \(wanted), not \(Failure.shortened(value.json.text(), to: 80))", at: value.place,
        hint: hint)
    }
    switch key.kind {
    case .text, .file:
      guard let text = value.json.string, !text.isEmpty else { throw refuse("a text") }
    case .integer(let range):
      guard let number = value.json.integer, range.contains(number) else {
        throw refuse(
          "a whole number" + (range.upperBound == .max ? "" : " from \(range.lowerBound) to \(range.upperBound)"))
      }
    case .number(let range):
      guard let number = value.json.number, range.contains(number) else {
        throw refuse("a number from \(range.lowerBound) to \(range.upperBound)")
      }
    case .flag: guard value.json.bool != nil else { throw refuse("true or false") }
    case .choice(let choices):
      let choices = choices()
      guard let text = value.json.string, choices.contains(text) else {
        let near = value.json.string.map { nearest(to: $0, among: choices) } ?? []
        throw refuse(
          "one of \(choices.joined(separator: ", "))", hint: near.isEmpty ? nil : "did you mean \(near[0])?")
      }
    case .texts:
      guard let texts = value.json.strings, !texts.isEmpty else { throw refuse("a list of texts") }
    case .mapping: guard value.json.object != nil else { throw refuse("a mapping") }
    case .textOrMapping:
      guard value.json.object != nil || value.json.string != nil else { throw refuse("a name or a mapping") }
    }
    return value
  }

  /// Where a key stands, or should.
  func place(of key: String) -> String { values[key]?.place ?? key }

  /// A failure at the value of a key.
  func failure(_ key: String, _ message: String, hint: String? = nil) -> Failure {
    Failure(.invalidRecipe, message, at: place(of: key), hint: hint)
  }

  func has(_ key: String) -> Bool { values[key] != nil }
  func text(_ key: String) -> String? { values[key]?.json.string }
  func integer(_ key: String, _ absent: Int) -> Int { values[key]?.json.integer ?? absent }
  func optionalInteger(_ key: String) -> Int? { values[key]?.json.integer }
  func number(_ key: String, _ absent: Double) -> Double { values[key]?.json.number ?? absent }
  func flag(_ key: String, _ absent: Bool) -> Bool { values[key]?.json.bool ?? absent }
  func texts(_ key: String) -> [String] { values[key]?.json.strings ?? [] }
  func mapping(_ key: String) -> JSON.Members? { values[key]?.json.object }

  /// A key that must be there.
  func required(_ key: String) throws -> String {
    guard let text = text(key) else {
      throw Failure(
        .invalidRecipe, "the recipe lacks \(key)", at: key, hint: RecipeKey.all.first { $0.name == key }?.about)
    }
    return text
  }

  /// The file that a key names, which must be there.
  func file(_ key: String) throws -> String? {
    guard let text = text(key) else { return nil }
    let path = text.hasPrefix("/") ? text : "\(folder)/\(text)"
    guard FileManager.default.fileExists(atPath: path) else {
      throw failure(key, "there is no file \(text.debugDescription)", hint: "paths begin at \(folder)")
    }
    return path
  }
}
