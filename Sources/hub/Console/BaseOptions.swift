import ArgumentParser
import Dovetail
import HubTensor

/// The base model that texts go through, and how it computes.
struct BaseOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The base model.", valueName: "name")) var model: String
  @OptionGroup var threads: ThreadOptions
  @Option(help: "The precision of the base model's weights: float32, bfloat16 or int8.")
  var precision = Precision.float32
  @OptionGroup var mismatch: MismatchOptions

  func load(from hub: Hub) throws -> Base {
    try hub.baseModel(model, precision: precision, engine: threads.engine())
  }
}
