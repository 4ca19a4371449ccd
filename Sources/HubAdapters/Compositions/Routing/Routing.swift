public import HubTensor
public import HubWords

/// How a block shares out the rows of a batch among its children. One file each under `Routing/`.
public protocol Routing: Sendable {
  /// A route for each child. Every row is on exactly one of them.
  ///
  /// - Parameters:
  ///   - sequences: those of the batch, or of the part of it that comes here
  ///   - tasks: the number of each sequence's task, where the batch has tasks
  func routes(_ sequences: Sequences, tasks: [Int]) -> [Route]

  /// Checks that the batch can be shared out.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/wrongParts``.
  func check(_ sequences: Sequences, tasks: [Int]) throws

  /// How many copies of the batch there must be: more than one for a block that multiplies rows.
  var copies: Int { get }

  /// Whether it says which part of the batch goes where, so that the batch must stay as it is.
  var dividesBatch: Bool { get }

  /// The sequences of each part, where those are consecutive sequences.
  var partSizes: [Int]? { get }

  /// Whether the children know nothing of each other, so that each answers as it does alone.
  var isIndependent: Bool { get }

  /// Whether sublayers alone can be shared out so.
  var takesSublayersOnly: Bool { get }
}

extension Routing {
  public func check(_ sequences: Sequences, tasks: [Int]) throws {}
  public var copies: Int { 1 }
  public var dividesBatch: Bool { true }
  public var partSizes: [Int]? { nil }
  public var isIndependent: Bool { false }
  public var takesSublayersOnly: Bool { false }

  /// - Throws: ``Failure`` with code ``Failure/Code/wrongParts`` unless the parts add up to `count`.
  public func check(_ parts: [Int], addUpTo count: Int, _ what: String) throws {
    guard parts.reduce(0, +) != count else { return }
    throw Failure(.wrongParts, "\(parts) adds up to \(parts.reduce(0, +)), but there are \(count) \(what)")
  }
}

/// A routing block that a program adds to the language of compositions, with ``RoutingBlocks/register(_:)``.
public typealias RoutingBlock = CompositionBlock & Routing

/// The routing blocks of this process.
public enum RoutingBlocks {
  /// Makes a block known wherever compositions are read, checked and run in this process.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/takenName``.
  public static func register(_ type: any RoutingBlock.Type) throws { try CompositionBlocks.register(type) }
}
