import HubAdapters
import HubModels
import HubTensor
import HubTransformer

/// Passes everything on and looks at what goes into a layer and what comes out.
struct Observer: Interventions {
  private let adapters: ComposedAdapters?
  private let observe: (_ layer: Int, _ input: Tensor, _ output: Tensor) -> Void

  init(_ adapters: ComposedAdapters?, _ observe: @escaping (Int, Tensor, Tensor) -> Void) {
    self.adapters = adapters
    self.observe = observe
  }

  func lengthened(_ sequences: Sequences) -> Sequences { adapters?.lengthened(sequences) ?? sequences }

  func virtualTokens(in context: Context) -> VirtualTokens? { adapters?.virtualTokens(in: context) }

  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor {
    adapters?.embedded(x, sequences, in: context) ?? x
  }

  func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows {
    adapters?.sublayer(sublayer, at: site, in: context) ?? NoInterventions().sublayer(sublayer, at: site, in: context)
  }

  func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows {
    adapters?.projected(projection, at: site, in: context)
      ?? NoInterventions().projected(projection, at: site, in: context)
  }

  func isUniform(at site: Site) -> Bool { adapters?.isUniform(at: site) ?? true }

  func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes? {
    adapters?.prefix(x, at: site, in: context).map { padded($0, in: context) }
  }

  func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows {
    let output = adapters?.layer(output, of: input, at: index, in: context) ?? output
    observe(index, input.tensor, output.tensor)
    return output
  }

  /// The reference fills up the shorter prefixes of a `parallel` with zeros, and adds 1 to their scores instead of
  /// hiding them.
  private func padded(_ prefixes: AttentionPrefixes, in context: Context) -> AttentionPrefixes {
    let longest = prefixes.rows.map(\.count).max() ?? 0
    guard prefixes.rows.contains(where: { $0.count < longest }) else { return prefixes }
    let own = prefixes.keys.rows, width = prefixes.keys.columns
    let zeros = context.tensor(rows: longest, columns: width, repeatElement(0, count: longest * width))
    let order = prefixes.rows.map { Array(own..<own + longest - $0.count) + Array($0) }
    let keys = context.rows(context.stacked([prefixes.keys, zeros]), order.flatMap { $0 })
    let values = context.rows(context.stacked([prefixes.values, zeros]), order.flatMap { $0 })
    let rows = order.indices.map { $0 * longest..<($0 + 1) * longest }
    return AttentionPrefixes(
      keys: keys, values: values, rows: rows, scores: order.flatMap { $0.map { $0 < own ? 0 : 1 } })
  }
}
