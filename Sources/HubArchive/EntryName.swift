import Foundation
public import HubWords

extension Failure.Code {
  /// The name of an entry could mean a place outside of the archive, or two places on two systems.
  public static let unsafeEntryName = Self("archive/unsafe-name", .refused)
  /// Two entries would be one file on some system.
  public static let collidingEntries = Self("archive/colliding-names", .refused)
}

/// The name of a file inside an archive or a bundle: relative, and the same file on every system.
///
/// Names are refused, never repaired: what two programs would clean differently is where archives are attacked.
public struct EntryName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The whole name, components joined by `/`, UTF-8 in normal form C.
  public let text: String

  /// - Throws: ``Failure/Code/unsafeEntryName`` if a component is empty, `.` or `..`, begins or ends with a space,
  ///   ends with a dot, or holds a backslash, a colon, a tilde or an invisible character;
  ///   ``Failure/Code/excessiveArchive`` if the name is too long or too deep.
  public init(_ text: String, limits: ArchiveLimits = ArchiveLimits()) throws {
    func unsafe(_ reason: String) -> Failure {
      Failure(.unsafeEntryName, "the name of an entry \(reason)", at: Self.escaped(text))
    }
    let components = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard text.utf8.count <= limits.nameBytes, components.allSatisfy({ $0.count <= limits.componentBytes }) else {
      throw Failure(.excessiveArchive, "the name of an entry is too long", at: Self.escaped(String(text.prefix(80))))
    }
    guard components.count <= limits.depth else {
      throw Failure(.excessiveArchive, "an entry lies more than \(limits.depth) folders deep", at: Self.escaped(text))
    }
    for component in components {
      if let reason = Self.fault(in: Substring(component)) { throw unsafe(reason) }
    }
    guard
      text.utf8.allSatisfy({ $0 < 0x80 }) || text.precomposedStringWithCanonicalMapping.utf8.elementsEqual(text.utf8)
    else {
      throw unsafe("is not in Unicode normal form C")
    }
    self.text = text
  }

  /// The names of the folders and of the file.
  public var components: [String] { text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) } }
  /// The last component.
  public var last: String { components.last ?? text }
  public var description: String { text }

  public static func < (left: EntryName, right: EntryName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  /// What is wrong with a component, as the end of "the name of an entry ...".
  private static func fault(in component: Substring) -> String? {
    if component.isEmpty { return "has an empty component, or is absolute" }
    if component == "." || component == ".." { return "has the component '\(component)'" }
    if component.utf8.last == UInt8(ascii: ".") { return "has a component that ends with a dot" }
    for scalar in component.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
        return "holds a character that cannot be seen"
      default: break
      }
      if scalar.properties.isDefaultIgnorableCodePoint { return "holds a character that cannot be seen" }
      if scalar == "\\" || scalar == ":" || scalar == "~" { return "holds '\(scalar)'" }
    }
    let ends = [component.unicodeScalars.first, component.unicodeScalars.last]
    if ends.contains(where: { $0?.properties.isWhitespace ?? true }) {
      return "has a component that begins or ends with a space"
    }
    return nil
  }

  /// A hostile name, fit to be printed.
  static func escaped(_ text: String) -> String {
    text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
  }

  /// Equal for names that are one file where case or compatibility forms do not count. `ẞ` is `ß` is `SS`: it takes
  /// three steps.
  static func collisionKey(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { $0 < 0x80 }
    guard !isPlain else { return text.lowercased() }
    return text.precomposedStringWithCompatibilityMapping.lowercased().uppercased().lowercased()
      .precomposedStringWithCompatibilityMapping
  }
}

/// The names seen so far, so that no two entries can be one file anywhere.
package struct EntryNames {
  private struct Known {
    var spelling: String
    var isFolder: Bool
    var isListed: Bool
  }
  private var known: [String: Known] = [:]

  package init() {}

  /// - Throws: ``Failure/Code/collidingEntries``
  package mutating func insert(_ name: EntryName, isFolder: Bool) throws {
    var path = ""
    for component in name.components.dropLast() {
      path += path.isEmpty ? component : "/" + component
      try insert(Known(spelling: path, isFolder: true, isListed: false))
    }
    try insert(Known(spelling: name.text, isFolder: isFolder, isListed: true))
  }

  private mutating func insert(_ new: Known) throws {
    let key = EntryName.collisionKey(new.spelling)
    guard let old = known[key] else {
      known[key] = new
      return
    }
    let isSame = old.isFolder && new.isFolder && old.spelling.utf8.elementsEqual(new.spelling.utf8)
    guard isSame, !(old.isListed && new.isListed) else {
      throw Failure(
        .collidingEntries, "two entries have the same name, or names that differ in case only", at: new.spelling)
    }
    known[key]?.isListed = old.isListed || new.isListed
  }
}
