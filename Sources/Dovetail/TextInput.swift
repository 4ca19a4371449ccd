/// One thing to ask a composed model about.
public enum TextInput: Hashable, Sendable {
  /// A text, or a pair of texts: premise and hypothesis, question and the text that answers it.
  case text(String, pair: String? = nil)
  /// A text that is already split into words.
  case words([String])
  /// A text, and others of which one goes with it.
  case choices(String, [String])
}
