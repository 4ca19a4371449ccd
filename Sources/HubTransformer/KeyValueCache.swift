public import HubTensor

/// The keys and values of what a decoder has read so far, so that a text is continued without reading it again.
///
/// A cache belongs to one run over the same sequences, with the same adapters; each pass appends its tokens. It is not
/// shared between threads.
public final class KeyValueCache {
  /// How many tokens of each sequence it holds.
  public private(set) var lengths: [Int]
  private var layers: [Int: Stored] = [:]
  private var crossing: [Int: (keys: Rows, values: Rows)] = [:]

  private struct Stored {
    var keys: Tensor
    var values: Tensor
    /// The rows that there is room for, of each sequence.
    var capacity: Int
  }

  /// - Parameter sequences: how many are continued side by side
  public init(sequences: Int) { lengths = Array(repeating: 0, count: sequences) }

  /// Adds sequences of which nothing was read yet, after the others.
  public func begin(_ count: Int) {
    lengths += Array(repeating: 0, count: count)
    crossing = [:]
  }

  /// Goes on with some of the sequences, as often as each comes: what a search keeps.
  public func keep(_ sequences: [Int], in context: Context) {
    for (layer, stored) in layers {
      let copies = stored.keys.rows / stored.capacity / max(1, lengths.count)
      precondition(copies == 1, "a cache of several copies of a batch is not rearranged")
      let rows = sequences.flatMap { Array($0 * stored.capacity..<($0 + 1) * stored.capacity) }
      layers[layer]?.keys = context.rows(stored.keys, rows)
      layers[layer]?.values = context.rows(stored.values, rows)
    }
    crossing = crossing.mapValues { ($0.keys.taking(sequences, in: context), $0.values.taking(sequences, in: context)) }
    lengths = sequences.map { lengths[$0] }
  }

  /// Appends the keys and values of a pass in one layer, and gives all that there are.
  ///
  /// - Returns: the keys, the values, and the rows in them of each sequence.
  func append(
    _ keys: Rows, _ values: Rows, layer: Int, in context: Context
  ) -> (keys: Tensor, values: Tensor, rows: [Range<Int>]) {
    let sequences = keys.sequences, count = sequences.count
    precondition(count % max(1, lengths.count) == 0, "the cache is for other sequences")
    func length(_ index: Int) -> Int { lengths[index % lengths.count] }
    let longest = (0..<count).map { length($0) + sequences[$0].count }.max() ?? 0
    var stored = layers[layer] ?? Stored(keys: keys.tensor, values: values.tensor, capacity: 0)
    if stored.capacity < longest || stored.keys.rows != count * stored.capacity {
      let capacity = max(longest, 2 * stored.capacity, 32)
      func grown(_ old: Tensor) -> Tensor {
        context.spread(
          old,
          (0..<count).map { stored.capacity > 0 ? $0 * stored.capacity..<$0 * stored.capacity + length($0) : 0..<0 },
          every: capacity)
      }
      stored = Stored(keys: grown(stored.keys), values: grown(stored.values), capacity: capacity)
    }
    let firsts = (0..<count).map { $0 * stored.capacity + length($0) }
    context.write(keys.tensor, sequences, into: &stored.keys, at: firsts)
    context.write(values.tensor, sequences, into: &stored.values, at: firsts)
    layers[layer] = stored
    let rows = (0..<count).map { $0 * stored.capacity..<firsts[$0] + sequences[$0].count }
    return (stored.keys, stored.values, rows)
  }

  /// The keys and values of an encoder's states, which are computed once.
  func crossing(_ layer: Int, _ compute: () -> (keys: Rows, values: Rows)) -> (keys: Rows, values: Rows) {
    if let known = crossing[layer] { return known }
    let computed = compute()
    crossing[layer] = computed
    return computed
  }

  /// Whether a layer has the keys of the encoder's states already.
  var isBegun: Bool { lengths.contains { $0 > 0 } }

  /// Says that a pass is over.
  func advance(by sequences: Sequences) {
    for index in lengths.indices { lengths[index] += sequences[index].count }
  }
}

extension Rows {
  /// Some of the sequences of each copy, as often as each comes.
  func taking(_ indices: [Int], in context: Context) -> Rows {
    let rows = (0..<copies).flatMap { copy in
      indices.flatMap { index in batch[index].map { copy * batch.rows + $0 } }
    }
    return Rows(context.rows(tensor, rows), of: Sequences(lengths: indices.map { batch[$0].count }))
  }
}
