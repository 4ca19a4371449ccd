import ArgumentParser
import Dovetail
import HubAdapters
import HubWords
import HubRegistry
import HubModels
import HubTransformer
import HubWeights

struct Methods: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "methods",
    abstract: "List the adapter methods that can be run, and whether they can be trained.",
    discussion: """
      hub methods
      hub methods --base minilm

      Parameters are those of the usual configuration on the given base model, or on one of the size of BERT base; \
      frozen ones that come with an adapter are counted. Methods that cannot be trained come from PEFT: hub install \
      reads them.
      """)

  @Option(help: ArgumentHelp("A registered base model.", valueName: "name")) var base: String?
  @Flag(help: "Print JSON of the schema hub.methods/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let (shape, total) = try base.map { try size(of: $0) } ?? (Self.usual, Self.usualTotal)
    let rows = MethodCatalogue.all.map { method in (method, try? method.summary(for: shape)) }
    if json {
      let methods = rows.map { method, summary -> JSON in
        [
          "name": .string(method.name), "paper": .string(method.paper), "equation": .string(method.equation),
          "trainable": .bool(method.isTrainable), "parameters": summary.map { .integer($0.parameters) } ?? .null,
          "blocks": .array((summary?.blocks ?? []).map(JSON.string)),
        ]
      }
      return try Console.put(
        json: ["base": base.map(JSON.string) ?? .null, "methods": .array(methods)], schema: "hub.methods/1")
    }
    var table = Table(["METHOD", "TRAINS", "PARAMETERS", "SHARE", "PAPER", "COMPUTES"])
    for (method, summary) in rows {
      table.add([
        method.name, method.isTrainable ? "yes" : "no", summary.map { count($0.parameters) } ?? "-",
        summary.map { share($0.parameters, of: total) } ?? "-", method.paper, method.equation,
      ])
    }
    try Console.put(table.text())
  }

  private func size(of name: String) throws -> (ModelShape, Int) {
    let checkpoint = try Checkpoint(folder: options.open().registry.baseModel(name).folder)
    return (try checkpoint.shape(), checkpoint.weights.tensors.values.reduce(0) { $0 + $1.count })
  }

  /// BERT base.
  private static let usual = ModelShape(hiddenSize: 768, embeddingSize: 768, intermediateSize: 3072, layers: 12)
  private static let usualTotal = 109_482_240
}
