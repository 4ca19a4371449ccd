import ArgumentParser
import Dovetail
import HubTensor
import HubTraining
import HubWords

struct Rebuild: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Train an adapter again by the recipe that it remembers.",
    discussion: """
      hub rebuild cr --in recipes

      Nothing is installed. The status is 0 where the digest is that of the installed adapter, and 1 where it is another. \
      Bytes are equal for the same data, base and kind of processor; HUB_ISA chooses among those that this one has.
      """)

  @Argument(help: "An installed adapter that hub train made.") var reference: String
  @Option(
    name: .customLong("in"), help: ArgumentHelp("Where the recipe's files are.", valueName: "dir"),
    completion: .directory)
  var folder = "."
  @Option(help: ArgumentHelp("Threads; otherwise HUB_THREADS, or all physical cores.", valueName: "n"))
  var threads: Int?
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let hub = try options.open(), engine = try Engine(threads: threads)
    let recorded = try hub.recordedRecipe(of: reference, in: folder)
    if recorded.kernels != engine.kernels.name {
      Console.say("hub: note: it was trained with \(recorded.kernels), and this is \(engine.kernels.name)")
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
