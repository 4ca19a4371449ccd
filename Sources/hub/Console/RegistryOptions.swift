import ArgumentParser
import Dovetail

/// The option that every command has.
struct RegistryOptions: ParsableArguments {
  @Option(
    name: .customLong("registry"),
    help: ArgumentHelp("The folder of the registry.", discussion: "Otherwise HUB_REGISTRY, or dovetail in $XDG_DATA_HOME.", valueName: "dir"))
  var path: String?

  func open() throws -> Hub { try Hub(registry: path) }
}
