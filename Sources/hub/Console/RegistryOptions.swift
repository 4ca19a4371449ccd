import ArgumentParser
import Dovetail

/// The options that every command has.
struct RegistryOptions: ParsableArguments {
  @Option(
    name: .customLong("registry"),
    help: ArgumentHelp(
      "The folder of the registry.", discussion: "Otherwise HUB_REGISTRY, or dovetail in $XDG_DATA_HOME.",
      valueName: "dir"))
  var path: String?

  @Flag(name: .customLong("insecure-registry"), help: "Accept a registry that other users can write to.")
  var isShared = false

  func open() throws -> Hub { try Hub(registry: path, isShared: isShared) }
}
