public import HubTensor

/// Rows of activations, `[rows, columns]`, and the sequences that they are: those of the batch, or several copies of
/// all of them, one after another, once a `parallel` has multiplied them. What works on two of them gives both as many
/// copies.
public struct Rows: Sendable {
  /// `[copies * rows of the batch, columns]`
  public let tensor: Tensor
  /// The sequences of one copy.
  public let batch: Sequences

  public init(_ tensor: Tensor, of batch: Sequences) {
    self.tensor = tensor
    self.batch = batch
  }

  /// How many copies of the batch the rows are.
  public var copies: Int { batch.rows == 0 ? 1 : tensor.rows / batch.rows }
  /// Those of all copies.
  public var sequences: Sequences { batch.repeated(copies) }

  /// The same rows with something made of each.
  public func with(_ tensor: Tensor) -> Rows { Rows(tensor, of: batch) }

  /// So many copies: these rows, if they are that already.
  public func repeated(to copies: Int, in context: Context) -> Rows {
    copies == self.copies ? self : with(context.repeated(tensor, copies / self.copies))
  }
}
