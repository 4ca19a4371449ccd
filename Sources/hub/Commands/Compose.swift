import ArgumentParser
import Dovetail
import HubAdapters
import HubWords
import HubTransformer

struct Compose: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compose",
    abstract: "Explain a setup before it runs.",
    discussion: """
      hub compose 'stack(de, fuse(a, b))' --model xlm-r
      hub compose 'drop(0-4, stack(en, pos))' --model minilm

      Shows what each adapter does at each site, what it costs, and which head answers; or what does not fit, and \
      why. Nothing is computed.
      """)

  @Argument(help: "Adapters and how they are composed.") var composition: String
  @Option(help: ArgumentHelp("The base model.", valueName: "name")) var model: String
  @OptionGroup var mismatch: MismatchOptions
  @Flag(help: "Print JSON of the schema hub.compose/1.") var json = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let report = try options.open().explain(
      Composition(parsing: composition), on: model, allowingOtherWeights: mismatch.allowBaseMismatch)
    if json { return try Console.put(json: members(of: report), schema: "hub.compose/1") }
    var table = Table(["ADAPTER", "METHOD", "ACTS AT", "LAYERS", "PARAMETERS", "COST"])
    for row in report.adapters {
      table.add([
        row.name, row.method, row.places.joined(separator: ", "), row.layers.isEmpty ? "-" : row.layers,
        count(row.parameterCount),
        "+" + share(row.parameterCount, of: report.baseMatrixSize),
      ])
    }
    for fusion in report.fusions {
      table.add([
        fusion.name, "fusion", "", "", count(fusion.parameterCount),
        "+" + share(fusion.parameterCount, of: report.baseMatrixSize),
      ])
    }
    try Console.put(table.text())
    var sheet = Sheet()
    sheet.add("setup", report.composition.description)
    sheet.add(
      "base",
      "\(model) (\(report.base.architecture), \(report.base.layers ?? 0) layers, hidden size \(report.base.hiddenSize))"
    )
    sheet.add("sites", "\(report.siteCount)")
    sheet.add("answers", report.heads.isEmpty ? "no head: hub run needs --head" : report.heads.joined(separator: ", "))
    if report.copies > 1 {
      sheet.add("branches", "\(report.copies), each on a copy of the batch from its first site on")
    }
    try Console.put(sheet.text)
  }

  private func members(of report: CompositionReport) -> JSON.Members {
    [
      "composition": .string(report.composition.description), "base": .string(model),
      "sites": .integer(report.siteCount), "copies": .integer(report.copies),
      "baseMatrixSize": .integer(report.baseMatrixSize), "heads": .array(report.heads.map(JSON.string)),
      "adapters": .array(
        report.adapters.map { row in
          [
            "name": .string(row.name), "reference": .string(row.reference), "method": .string(row.method),
            "places": .array(row.places.map(JSON.string)),
            "layers": .string(row.layers), "parameters": .integer(row.parameterCount),
          ]
        }),
      "fusions": .array(report.fusions.map { ["name": .string($0.name), "parameters": .integer($0.parameterCount)] }),
    ]
  }
}
