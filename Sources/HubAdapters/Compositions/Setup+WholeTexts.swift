extension Setup {
  /// Whether one of its adapters looks at a text as a whole, ``AdapterMethod/looksAtWholeTexts``.
  public var looksAtWholeTexts: Bool { root.leaves.contains { $0.method.looksAtWholeTexts } }
}
