public import HubModels
public import HubTensor

/// A linear layer that is about to be applied.
public struct Projection {
  /// The layer's weight `[out, in]` and bias `[out]`.
  public let linear: Linear
  /// `[rows, in]`
  public let input: Tensor
  /// What the layer's output goes through.
  public let activation: Activation
  /// The sequences of one copy of the rows.
  public let batch: Sequences

  public init(_ linear: Linear, of input: Rows, then activation: Activation = .identity) {
    self.linear = linear
    self.input = input.tensor
    self.activation = activation
    batch = input.batch
  }

  /// The rows that go in.
  public var rows: Rows { Rows(input, of: batch) }
  /// Those of the rows.
  public var sequences: Sequences { rows.sequences }

  /// What the layer gives by itself, `[rows, out]`.
  public func applied(in context: Context) -> Tensor { linear(input, then: activation, in: context) }
}

/// A sublayer that has computed its output and not yet joined the residual stream.
public struct Sublayer {
  /// What came out of the last projection, `[rows, hidden]`.
  public let output: Tensor
  /// What went into the sublayer, `[rows, hidden]`.
  public let residual: Tensor
  /// What went into the layer that the sublayer belongs to, `[rows, hidden]`.
  public let layerInput: Tensor
  /// The layer norm that follows in post-norm models.
  public let norm: (any Norm)?
  /// The sequences of one copy of the rows.
  public let batch: Sequences

  public init(output: Tensor, residual: Tensor, layerInput: Tensor, norm: (any Norm)?, of batch: Sequences) {
    self.output = output
    self.residual = residual
    self.layerInput = layerInput
    self.norm = norm
    self.batch = batch
  }

  /// - Parameters:
  ///   - residual, layerInput: with as many copies as the output, or fewer
  public init(output: Rows, residual: Rows, layerInput: Rows, norm: (any Norm)?, in context: Context) {
    self.init(
      output: output.tensor, residual: residual.repeated(to: output.copies, in: context).tensor,
      layerInput: layerInput.repeated(to: output.copies, in: context).tensor, norm: norm, of: output.batch)
  }

  /// `norm(x + residual)`, or the bare sum in pre-norm models.
  public func joined(_ x: Tensor, in context: Context) -> Tensor {
    norm.map { $0(x, plus: residual, in: context) } ?? context.add(x, residual)
  }
}

/// Tokens that stand before those of each sequence without being text: the text's positions move up by their number.
public struct VirtualTokens {
  /// How many there are before each sequence.
  public let count: Int
  /// Their word embeddings, `[count, embedding]`, where they have rows of their own; `nil` where they only take up
  /// positions.
  public let embeddings: Tensor?

  public init(count: Int, embeddings: Tensor? = nil) {
    self.count = count
    self.embeddings = embeddings
  }
}

/// What a base model calls at its sites; it knows nothing else of adapters. Each call has a default that leaves the
/// model as it is.
public protocol Interventions {
  /// The sequences that the layers see: longer than the text's where adapters put rows of their own before it.
  func lengthened(_ sequences: Sequences) -> Sequences
  /// Tokens before the text, or `nil`.
  func virtualTokens(in context: Context) -> VirtualTokens?
  /// Token rows after the embedding layer, `[rows, embedding]`; of the sequences of the text, or with virtual tokens of
  /// the lengthened ones. Returns those of the lengthened ones.
  func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor
  /// A linear layer: returns its output, activation included. It may be several copies of the rows, as in
  /// ``sublayer(_:at:in:)``.
  func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows
  /// Keys and values that stand before those of each sequence, for one or more copies of the sequences; `nil` for none.
  ///
  /// - Parameter x: the input of the attention
  func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes?
  /// The end of a sublayer: returns what the next one reads. It may be several copies of the rows, one after the other;
  /// then the rest of the model runs on all of them.
  func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows
  /// Whether all rows meet the same at a site, so that rows which are nobody's text can be taken through it.
  func isUniform(at site: Site) -> Bool
  /// The end of a whole layer: returns what the next one reads.
  ///
  /// - Parameter input: what went into the layer, perhaps in fewer copies than `output`
  func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows
}

extension Interventions {
  public func lengthened(_ sequences: Sequences) -> Sequences { sequences }
  public func virtualTokens(in context: Context) -> VirtualTokens? { nil }
  public func embedded(_ x: Tensor, _ sequences: Sequences, in context: Context) -> Tensor { x }
  public func projected(_ projection: Projection, at site: Site, in context: Context) -> Rows {
    projection.rows.with(projection.applied(in: context))
  }
  public func prefix(_ x: Rows, at site: Site, in context: Context) -> AttentionPrefixes? { nil }
  public func sublayer(_ sublayer: Sublayer, at site: Site, in context: Context) -> Rows {
    Rows(sublayer.joined(sublayer.output, in: context), of: sublayer.batch)
  }
  public func isUniform(at site: Site) -> Bool { true }
  public func layer(_ output: Rows, of input: Rows, at index: Int, in context: Context) -> Rows { output }
}

/// The base model alone.
public struct NoInterventions: Interventions {
  public init() {}
}
