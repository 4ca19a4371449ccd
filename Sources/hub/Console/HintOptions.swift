import ArgumentParser
import HubForeign

/// What the files of an adapter in a foreign format may leave open.
struct HintOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The labels of the head in the order of its outputs, separated by commas.", valueName: "names"))
  var labels: String?
  @Option(
    help: ArgumentHelp("The type of the base model, where the files do not say: bert, roberta, …", valueName: "type")
  )
  var baseType: String?

  var hints: ForeignHints {
    ForeignHints(
      labels: labels.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) },
      baseType: baseType)
  }
}
