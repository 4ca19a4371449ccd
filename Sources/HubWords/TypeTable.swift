import Synchronization

extension Failure.Code {
  /// A program adds a type under a name that another one has, or that none can have.
  public static let takenName = Self("types/name", .usage)
}

/// Types by the names that files and texts know them by: those that a module has, and those that a program adds to
/// them.
public final class TypeTable<Element: Sendable>: Sendable {
  private let own: [Element]
  private let reserved: Set<String>
  private let names: @Sendable (Element) -> [String]
  private let added = Mutex<[Element]>([])

  /// - Parameters:
  ///   - reserved: names that no type may have
  ///   - names: those of a type
  public init(_ own: [Element], reserved: Set<String> = [], names: @escaping @Sendable (Element) -> [String]) {
    self.own = own
    self.reserved = reserved
    self.names = names
  }

  /// The module's own before those that were added.
  public var all: [Element] { own + added.withLock { $0 } }

  /// The type that has this name; `nil` if there is none.
  public subscript(name: String) -> Element? { all.first { names($0).contains(name) } }

  /// Adds a type for the rest of the process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public func register(_ element: Element) throws {
    try added.withLock { added in
      let taken = reserved.union((own + added).flatMap(names)), new = names(element)
      if let name = new.first(where: taken.contains) {
        throw Failure(
          .takenName, "another type has the name \(name.debugDescription)", at: "\(element)",
          hint: "choose another name")
      }
      guard !new.isEmpty else { throw Failure(.takenName, "a type needs a name to be found by", at: "\(element)") }
      added.append(element)
    }
  }
}
