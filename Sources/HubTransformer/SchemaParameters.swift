import HubWords
public import HubTensor
import Synchronization

/// Writes down what a model or an adapter asks for. Running an `init` on it gives the list of tensors that a file
/// must hold, which is what validation, size estimates and reports are made from.
public final class SchemaParameters: ParameterProvider {
  /// A weight that was asked for.
  public struct Entry: Hashable, Sendable {
    /// The full name.
    public let name: String
    /// One or two dimensions.
    public let shape: [Int]
  }

  private let asked = Mutex<[Entry]>([])
  private let optional: @Sendable (String) -> Bool

  /// - Parameter has: what to answer when asked for a weight that may be left out
  public init(has optional: @escaping @Sendable (String) -> Bool = { _ in true }) {
    self.optional = optional
  }

  /// What was asked for, in that order.
  public var entries: [Entry] { asked.withLock { $0 } }

  /// The number of values in all weights.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.shape.reduce(1, *) } }

  public func parameter(_ name: String, _ shape: [Int], initially initial: Initializer) throws -> Parameter {
    asked.withLock { $0.append(Entry(name: name, shape: shape)) }
    let (rows, columns) = shape.asMatrix
    return Parameter(name, Tensor(shapeOnly: rows, columns), shape: shape)
  }

  public func has(_ name: String) -> Bool { optional(name) }

  /// Compares what was asked for with what a file holds; says everything that does not fit in one failure.
  ///
  /// - Parameter shapes: the tensors of the file
  /// - Throws: ``Failure`` with code ``Failure/Code/unfittingWeights``.
  public func check(against shapes: [String: [Int]]) throws {
    let wanted = Dictionary(entries.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
    let missing = wanted.keys.filter { shapes[$0] == nil }.sorted()
    let extra = shapes.keys.filter { wanted[$0] == nil }.sorted()
    let misshapen = wanted.keys.filter { name in shapes[name].map { $0 != wanted[name] } ?? false }.sorted()
    guard let culprit = (misshapen + missing + extra).first else { return }
    var findings: [String] = []
    if let name = misshapen.first, let want = wanted[name], let have = shapes[name] {
      findings.append("\(Self.several(misshapen, "has", "have")) the wrong shape: \(have) instead of \(want)")
    }
    if !missing.isEmpty { findings.append("\(Self.several(missing, "is", "are")) missing") }
    if !extra.isEmpty { findings.append("nothing consumes \(Self.several(extra, "", ""))") }
    throw Failure(.unfittingWeights, "the weights do not fit: " + findings.joined(separator: "; "), at: culprit)
  }

  private static func several(_ names: [String], _ singular: String, _ plural: String) -> String {
    let more = names.count > 1 ? " and \(names.count - 1) more" : ""
    let verb = names.count > 1 ? plural : singular
    return "\(names[0])\(more)" + (verb.isEmpty ? "" : " \(verb)")
  }
}
