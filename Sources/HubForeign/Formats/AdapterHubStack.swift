import HubModels
import HubWords

/// A list of layers of a model, and what the library calls what it adds to one.
struct AdapterHubStack {
  let modules: LayerModules
  let sublayers: [Site.Place: String]
  /// The modules that hold the prefixes of an attention.
  let prefixes: [Site.Place: String]
  /// The number of its first layer, counted through all stacks.
  let firstLayer: Int

  static func all(of family: ModelFamily, encoderLayers: Int?) -> [AdapterHubStack] {
    let names = family.adapterHub
    let first = AdapterHubStack(
      modules: family.layers, sublayers: names.sublayers, prefixes: [.prefix: names.prefixTuning], firstLayer: 0)
    guard let modules = family.decoderLayers else { return [first] }
    return [
      first,
      AdapterHubStack(
        modules: modules, sublayers: names.decoderSublayers, prefixes: names.decoderPrefixes,
        firstLayer: encoderLayers ?? 0),
    ]
  }

  /// The last part of the list's path, after which a number is a layer's.
  var listName: Substring { modules.list.dotted.last ?? "" }

  /// Pairs whose layers are counted from the first of this stack.
  func placed(_ pairs: [NameTable.Pair]) -> [NameTable.Pair] {
    pairs.map { NameTable.Pair($0.foreign, $0.stable, isAlias: $0.isAlias, firstLayer: firstLayer) }
  }

  /// How many layers the encoder has, of which a file may hold only some: those that an adapter leaves out are missing,
  /// and numbers in its configuration go on from the encoder's to the decoder's.
  ///
  /// - Parameters:
  ///   - names: those of the file's tensors, without the model's prefix
  ///   - leftOut: the layers that the configuration leaves out
  static func encoderLayers(of family: ModelFamily, naming names: [String], leftOut: Set<Int>) -> Int? {
    guard let decoder = family.decoderLayers else { return nil }
    let encoderLayers = Set(names.compactMap { family.layers.splitLayer($0)?.layer })
    let firstOfDecoder = names.compactMap { decoder.splitLayer($0)?.layer }.min() ?? 0
    var next = (encoderLayers.max() ?? -1) + 1
    while leftOut.contains(next) { next += 1 }
    return max(0, next - firstOfDecoder)
  }
}
