public import HubTensor

extension EncodedTexts {
  /// These texts, then others.
  public func joined(with others: EncodedTexts, in context: Context) -> EncodedTexts {
    precondition(unseen.isEmpty && others.unseen.isEmpty && states.copies == 1 && others.states.copies == 1)
    let lengths = [states.batch, others.states.batch].flatMap { batch in (0..<batch.count).map { batch[$0].count } }
    return EncodedTexts(
      Rows(context.stacked([states.tensor, others.states.tensor]), of: Sequences(lengths: lengths)), unseen: [])
  }
}
