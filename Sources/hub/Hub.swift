import ArgumentParser
import Foundation
import HubWords
import HubRegistry

/// The program `hub`. Each command says its name: to derive it from the type takes the runtime longer than all other parsing.
@main
struct HubCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hub",
    abstract: "Keep, inspect and combine adapters for transformer models.",
    discussion: """
      hub install sst2.zip            an adapter from AdapterHub, or a bundle
      hub list --method seq_bn
      hub info sst2
      hub pack my-adapter -o my.adapter

      Data goes to standard output, everything else to standard error. Exit statuses are those of sysexits.h; \
      1 means that the command worked and the answer is no.
      """,
    version: "0.1.0",
    subcommands: [
      Run.self, Compose.self, Methods.self,
      Install.self, List.self, Info.self, Remove.self, Undo.self, History.self, Verify.self, RepairCommand.self,
      CollectGarbage.self,
      Search.self, IndexCommand.self, Resolve.self, AliasCommand.self, Outdated.self, UpgradeCommand.self,
      LockCommand.self,
      Pack.self, Unpack.self, Convert.self, Merge.self, Fold.self, Sign.self, Keys.self,
      Model.self,
      Doctor.self, LimitsCommand.self,
    ])

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    CutShort.endInOrder()
    do {
      var command = try parse(arguments)
      try command.run()
    } catch {
      leave(with: error)
    }
  }

  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    do {
      return try parseAsRoot(arguments)
    } catch {
      throw unknownSubcommand(arguments) ?? error
    }
  }

  private static func unknownSubcommand(_ arguments: [String]) -> Failure? {
    let known = configuration.subcommands.flatMap { [$0._commandName] + $0.configuration.aliases } + ["help"]
    guard let word = arguments.first, !word.hasPrefix("-"), !known.contains(word) else { return nil }
    let near = nearest(to: word, among: known)
    return Failure(
      .unknownSubcommand, "there is no command \(word.debugDescription)",
      hint: near.isEmpty ? "hub --help" : near.map { "hub \($0)" }.joined(separator: ", or "))
  }

  /// Says what went wrong and ends the process with the status that belongs to it.
  private static func leave(with error: any Error) -> Never {
    if let failure = error as? Failure {
      Console.report(failure)
      Foundation.exit(ExitStatus(failure.code.category).rawValue)
    }
    let code = exitCode(for: error)
    if error is ExitCode || code == .success { exit(withError: error) }
    guard code == .validationFailure else {
      Console.report("\(error)", hint: "this is a fault of hub: please report it")
      Foundation.exit(ExitStatus.internalError.rawValue)
    }
    Console.say("hub: error: " + fullMessage(for: error).replacing("Error: ", with: "", maxReplacements: 1))
    Foundation.exit(code.rawValue)
  }
}

extension Failure.Code {
  /// The first word on the command line is no command.
  static let unknownSubcommand = Self("hub/unknown-command", .usage)
}
