import HubModels
import HubTensor

extension Setup {
  /// Whether an adapter looks at a text as a whole: ReFT at the positions of its end, a gate at the mean over all tokens, an
  /// attention of the adapter's own. Then a text that goes on is not what it was plus something new.
  public var looksAtWholeTexts: Bool {
    root.leaves.contains { leaf in
      leaf.method is PAL || leaf.method is KAdapter || leaf.sites.contains { $0.place == .layer }
        || leaf.method.parameters.contains { $0.name.split(separator: ".").contains("gate") }
    }
  }
}
