/// Makes the tokens of the source more likely: the repetition penalty turned round, on what the encoder reads.
struct SourceRepetitionPenalty: OptionalProcessor {
  let penalty: Float

  init?(_ options: GenerationOptions, promptCount: Int) {
    guard options.sourceRepetitionPenalty != 1 else { return nil }
    penalty = 1 / options.sourceRepetitionPenalty
  }

  func process(_ scores: inout [Float], after text: WrittenText) {
    RepetitionPenalty.apply(penalty, to: &scores, text.source)
  }
}
