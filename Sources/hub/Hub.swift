import ArgumentParser
import Foundation
import HubWords
import HubRegistry

/// The program `hub`. Each command says its name: to derive it from the type takes the runtime longer than all other
/// parsing.
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
      Run.self, Embed.self, Generate.self, Compose.self, Methods.self,
      Train.self, Evaluate.self, Rebuild.self,
      Install.self, List.self, Info.self, Remove.self, Undo.self, History.self, Verify.self, RepairCommand.self,
      CollectGarbage.self,
      Search.self, IndexCommand.self, Resolve.self, AliasCommand.self, Outdated.self, UpgradeCommand.self,
      LockCommand.self,
      Pack.self, Unpack.self, Convert.self, Merge.self, Fold.self, Sign.self, Keys.self,
      Model.self, TokenizerCommand.self,
      Doctor.self, LimitsCommand.self,
    ])

  static func main() {
    CutShort.endInOrder()
    openStandardFiles()
    do {
      try checkEncoding()
      let arguments = Array(CommandLine.arguments.dropFirst())
      var command = try parse(arguments)
      Progress.shared.start("working")
      try command.run()
      Progress.shared.clear()
    } catch {
      leave(with: error)
    }
  }

  /// What is closed would be taken by the next file that is opened, and read or written in its place.
  private static func openStandardFiles() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// Swift repairs what is not UTF-8, and would look for a file of another name.
  private static func checkEncoding() throws {
    for case let argument? in UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
    where String(validatingCString: argument) == nil {
      throw Failure(
        .malformedArgument, "an argument is not UTF-8", at: String(cString: argument),
        hint: "give the file another name, or pass texts with --input")
    }
  }

  private static func parse(_ arguments: [String]) throws -> any ParsableCommand {
    if arguments.first == "help", let failure = unknownSubcommand(Array(arguments.dropFirst())) { throw failure }
    do {
      return try parseAsRoot(arguments)
    } catch {
      throw unknownSubcommand(arguments) ?? error
    }
  }

  /// What is wrong with the words before the first option, if they name no command.
  private static func unknownSubcommand(_ arguments: [String]) -> Failure? {
    var group: any ParsableCommand.Type = self, path = "hub"
    for word in arguments.prefix(while: { !$0.hasPrefix("-") }) {
      let commands = group.configuration.subcommands
      if commands.isEmpty { return nil }
      if let next = commands.first(where: { ([$0._commandName] + $0.configuration.aliases).contains(word) }) {
        (group, path) = (next, "\(path) \(word)")
        continue
      }
      if word == "help" { return nil }
      let near = nearest(to: word, among: commands.flatMap { [$0._commandName] + $0.configuration.aliases })
      return Failure(
        .unknownSubcommand, "there is no command \(word.debugDescription)" + (path == "hub" ? "" : " in \(path)"),
        hint: near.isEmpty ? "\(path) --help" : near.map { "\(path) \($0)" }.joined(separator: ", or "))
    }
    return nil
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
    Console.say("hub: error: " + usage(fullMessage(for: error).replacing("Error: ", with: "", maxReplacements: 1)))
    Foundation.exit(code.rawValue)
  }
}

extension HubCommand {
  /// What the parser says of a command line, of which it repeats everything.
  fileprivate static func usage(_ message: String) -> String {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map {
      Failure.shortened(Console.escaped(String($0)), to: 400)
    }
    guard message.contains("Unknown option '-") else { return lines.joined(separator: "\n") }
    return lines.joined(separator: "\n") + "\n  hint: put a text or a name that begins with a dash after --"
  }
}

extension Failure.Code {
  /// An argument is not text.
  static let malformedArgument = Self("hub/argument", .usage)
  /// The first word on the command line is not a command.
  static let unknownSubcommand = Self("hub/unknown-command", .usage)
}
