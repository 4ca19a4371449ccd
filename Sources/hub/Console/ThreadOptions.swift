import ArgumentParser
import HubTensor

/// How many threads compute.
struct ThreadOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The number of threads; by default HUB_THREADS, or all physical cores.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) { throw ValidationError("--threads must be between 1 and 256") }
  }

  func engine() throws -> Engine { try Engine(threads: threads) }
}
