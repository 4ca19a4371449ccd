import ArgumentParser
import Dovetail
import HubTensor
import HubTraining
import HubWords

struct Rebuild: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Train an adapter again from the recipe it was made with.",
    discussion: """
      hub rebuild cr --in recipes

      Nothing is installed. The exit status is 0 if the digest equals the installed adapter's, and 1 if not. \
      Bytes are equal for the same data, base model and instruction set; HUB_ISA chooses among those that this \
      processor has.
      """)

  @Argument(help: "An installed adapter that hub train made.") var reference: String
  @Option(
    name: .customLong("in"), help: ArgumentHelp("Where the recipe's files are.", valueName: "dir"),
    completion: .directory)
  var folder = "."
  @OptionGroup var threads: ThreadOptions
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let hub = try options.open(), engine = try threads.engine()
    let recorded = try hub.recordedRecipe(of: reference, in: folder)
    if recorded.kernels != engine.kernels.name {
      Console.say("hub: note: it was trained with \(recorded.kernels), but this is \(engine.kernels.name)")
    }
    let report = TrainingReport(json: false, metric: "")
    let job = try TrainingJob(recorded.recipe, hub: hub, engine: engine, isRebuilding: true)
    let outcome = try job.run(checkpoint: nil, installs: false, observe: { report.observe($0) })
    guard outcome.installed?.digest == recorded.digest else {
      try Console.put(
        "\(recorded.digest.short) was installed, \(outcome.installed?.digest.short ?? "nothing") came out")
      throw ExitCode(ExitStatus.no.rawValue)
    }
    try Console.put("\(recorded.digest.short) came out again")
  }
}
