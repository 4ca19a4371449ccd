import ArgumentParser

/// Whether adapters run on weights that they were not trained on.
struct MismatchOptions: ParsableArguments {
  @Flag(help: "Accept adapters that were trained on other weights of the same architecture.")
  var allowBaseMismatch = false
}
