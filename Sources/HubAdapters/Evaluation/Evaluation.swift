import HubModels
import HubTensor

/// What a walk over a composition carries through one site of a base model: the rows, and what the adapters made of
/// them so far. One small type for each kind of site.
protocol SiteState {
  /// How many copies of the batch the rows are.
  var copies: Int { get }
  /// The sequences of one copy.
  var batch: Sequences { get }

  /// What an adapter makes of the state; `nil` where it does not act.
  func adapted(by leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self?
  /// What must happen once, before a setup's adapters each have their turn; `nil` for nothing.
  func begun(with leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self?
  /// The state as the children of a block find it, where one of them prepares it for all.
  func prepared(for nodes: [Setup.Node], in evaluation: Evaluation<Self>) -> Self
  /// The state as a child finds it that is a block itself.
  func entered() -> Self

  func taken(_ route: Route, in context: Context) -> Self
  func repeated(_ copies: Int, in context: Context) -> Self
  /// The state of all rows again.
  ///
  /// - Parameters:
  ///   - results: what became of each route's rows; `nil` where nothing acted
  ///   - isIndependent: whether the children know nothing of each other
  func joined(
    _ results: [Self?], _ routes: [Route], isIndependent: Bool, in evaluation: Evaluation<Self>
  ) -> Self
  /// One state of those that the children of a block, at least one, made of all rows.
  func mixed(_ results: [(child: Int, state: Self)], by mixing: any Mixing, in evaluation: Evaluation<Self>) -> Self
  /// The children's outputs under a fusion's attention; `nil` where it does not act.
  func fused(_ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, in evaluation: Evaluation<Self>) -> Self?
}

extension SiteState {
  func begun(with leaf: Setup.Leaf, at path: [Int], in evaluation: Evaluation<Self>) -> Self? { nil }
  func prepared(for nodes: [Setup.Node], in evaluation: Evaluation<Self>) -> Self { self }
  func entered() -> Self { self }
  /// A setup refuses fusions where they cannot act.
  func fused(_ nodes: [Setup.Node], _ fusion: AdapterFusion, _ name: String, in evaluation: Evaluation<Self>) -> Self? {
    nil
  }
}

/// One pass over a composition at one site: the one place where compositions are evaluated.
struct Evaluation<State: SiteState> {
  let site: Site
  let context: Context
  let tasks: [Int]
  let observer: ComposedAdapters.Observer
  let kept: KeptTensors

  /// What a whole setup makes of a state; `nil` if none of its adapters acts here.
  func result(of root: Setup.Node, at path: [Int] = [], on state: State) -> State? {
    let begun = root.first.flatMap { state.begun(with: $0, at: path, in: self) }
    return run(root, at: path, on: begun ?? state) ?? begun
  }

  /// - Parameter path: the way to the node, by which its adapters find what they kept
  func run(_ node: Setup.Node, at path: [Int] = [], on state: State) -> State? {
    switch node {
    case .base: return nil
    case .adapter(let leaf): return state.adapted(by: leaf, at: path, in: self)
    case .stack(let nodes):
      return nodes.enumerated().reduce(nil) { below, node in
        run(node.element, at: path + [node.offset], on: below ?? state.entered()) ?? below
      }
    case .fuse(let nodes, let fusion, let name): return state.entered().fused(nodes, fusion, name, in: self)
    case .mix(let nodes, let mixing):
      let state = state.entered(), shared = state.prepared(for: nodes, in: self)
      let results = nodes.enumerated().compactMap { index, node in
        run(node, at: path + [index], on: shared).map { (child: index, state: $0) }
      }
      return results.isEmpty ? nil : state.mixed(results, by: mixing, in: self)
    case .route(let nodes, let routing): return route(nodes, routing, at: path, on: state.entered())
    }
  }

  /// The first site that a branch of a `parallel` adapts multiplies the rows; later ones find them multiplied.
  private func route(_ nodes: [Setup.Node], _ routing: any Routing, at path: [Int], on state: State) -> State? {
    guard nodes.contains(where: { $0.sites.contains(site) }) else { return nil }
    let state = state.copies < routing.copies ? state.repeated(routing.copies, in: context) : state
    let shared = routing.isIndependent ? state : state.prepared(for: nodes, in: self)
    let routes = routing.routes(state.batch, tasks: tasks)
    let results = zip(nodes, routes).enumerated().map { index, child in
      let part = shared.taken(child.1, in: context), path = path + [index]
      return routing.isIndependent ? result(of: child.0, at: path, on: part) : run(child.0, at: path, on: part)
    }
    guard results.contains(where: { $0 != nil }) else { return nil }
    return state.joined(results, routes, isIndependent: routing.isIndependent, in: self)
  }

  func gating(_ leaf: Setup.Leaf, _ sequences: Sequences) -> Gating {
    Gating(sequences, observe: observer.gate.map { observe in { observe(leaf.name, site, $0) } })
  }
}

/// What adapters of layers leave for their higher layers within a pass, by their place in the composition.
final class KeptTensors {
  private var tensors: [[Int]: [Int: Tensor]] = [:]

  subscript(path: [Int]) -> [Int: Tensor] {
    get { tensors[path] ?? [:] }
    set { tensors[path] = newValue }
  }

  func removeAll() { tensors.removeAll() }
}
