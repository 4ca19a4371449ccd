extension ModelFamily {
  /// X-MOD (Pfeiffer et al. 2022): XLM-R trained with a bottleneck for each language in it.
  public static let xmod: ModelFamily = {
    var family = xlmRoberta
    family.modelType = "xmod"
    family.className = "Xmod"
    return family
  }()
}
