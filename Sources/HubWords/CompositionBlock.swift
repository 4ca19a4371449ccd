/// A block of compositions that a program adds, as far as the text goes. It stands where an `average` may stand.
///
/// What it does at the sites of a base model says the protocol `Mixing` of `HubAdapters`.
public protocol CompositionBlock: Sendable {
  /// The word before the bracket: lower-case letters, digits and underscores.
  static var name: String { get }

  /// The options that may stand after the children.
  static var options: Set<String> { get }

  /// - Parameters:
  ///   - options: the words of each option that was given: one, or those in brackets
  ///   - children: how many there are, at least one
  /// - Throws: ``Failure`` whose subject is the name of the option that makes no sense.
  init(options: [String: [String]], children: Int) throws
}

/// The blocks that a program has registered.
public enum CompositionBlocks {
  private static let table = TypeTable<any CompositionBlock.Type>(
    [],
    reserved: Set(Composition.Block.own.flatMap { [$0.name, $0.name.filter { $0 != "_" }] } + [Composition.baseWord])
  ) { [$0.name] }

  /// The block of this name; `nil` if the program registered none.
  public static func type(named name: String) -> (any CompositionBlock.Type)? { table[name] }

  static var names: [String] { table.all.map { $0.name } }

  /// Makes a block known wherever compositions are read in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``: a name that is taken, or that the grammar does not
  ///   read.
  public static func register(_ type: any CompositionBlock.Type) throws {
    let isWord = type.name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
    guard isWord, !type.name.isEmpty else {
      throw Failure(
        .takenName,
        "a block's name must consist of lower-case letters, digits and underscores, unlike \(type.name.debugDescription)",
        at: "\(type)")
    }
    try table.register(type)
  }
}
