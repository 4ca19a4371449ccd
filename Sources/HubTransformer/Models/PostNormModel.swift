public import HubModels
public import HubTensor

/// BERT and its relatives: a ``PostNormEncoder``, and what tells one from another.
public protocol PostNormModel: BaseModel {
  /// The embeddings, the layers and the pooler.
  var encoder: PostNormEncoder { get }

  /// The position of each token; counted from 0 in each sequence unless the model says otherwise.
  func positions(of tokens: TokenBatch) -> [Int]

  /// The segment of each token; that of the input unless the model has only one.
  func types(of tokens: TokenBatch) -> [Int]
}

extension PostNormModel {
  public func positions(of tokens: TokenBatch) -> [Int] { tokens.positions }
  public func types(of tokens: TokenBatch) -> [Int] { tokens.typeIDs }

  /// The sizes that adapters and heads are built for.
  public var shape: ModelShape { encoder.shape }
  public var maximumLength: Int { encoder.configuration.maximumPositions }
  public var vocabularySize: Int { encoder.vocabularySize }
  public var matrices: [Parameter] { encoder.matrices }

  public func callAsFunction(
    _ tokens: TokenBatch, with adapters: some Interventions, in context: Context
  ) throws -> Tensor {
    try encoder(tokens, positionIDs: positions(of: tokens), typeIDs: types(of: tokens), with: adapters, in: context)
  }

  public func pooled(
    _ hidden: Tensor, _ sequences: Sequences, adding update: ((Tensor) -> Tensor)?, in context: Context
  ) -> Tensor? {
    encoder.pooled(hidden, sequences, adding: update, in: context)
  }
}
