import ArgumentParser
import Dovetail
import Foundation
import HubBundle
import HubWords
import HubRegistry

struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Keys that sign bundles, and which of them to trust.",
    discussion: """
      hub keys generate release
      hub keys add acme ed25519:d75a98… --for acme/
      hub keys list
      """,
    subcommands: [KeysGenerate.self, KeysAdd.self, KeysList.self, KeysRemove.self])
}

struct KeysGenerate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Create a secret key to sign with.",
    discussion: """
      hub keys generate release

      Writes the secret key to release.key, which nobody else can read, and prints the public key. The file has \
      OpenSSL's format.
      """)

  @Argument(help: "The name of the key.") var name: AdapterName
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
  var output: String?

  func run() throws {
    let key = try SigningKey()
    let path = output ?? "\(name.text.replacing("/", with: "-")).key"
    try key.write(to: path)
    try Console.put(key.publicKey.description)
    Console.say("hub: the secret key is in \(Console.escaped(path)): keep it secret")
  }
}

struct KeysAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Trust a public key.",
    discussion: """
      hub keys add alice ed25519:d75a98…
      hub keys add acme ed25519:3d4017… --for acme/ --for lang/sw

      With --for, only this key may sign names that begin with the prefix, and it may not sign any others.
      """)

  @Argument(help: "The name of the key's owner.") var name: AdapterName
  @Argument(help: ArgumentHelp("The public key.", valueName: "key")) var key: String
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("Names that begin with this may be signed by this key only.", valueName: "prefix"))
  var prefixes: [String] = []
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    guard !prefixes.contains("") else { throw ValidationError("--for needs at least one character") }
  }

  func run() throws {
    let trusted = try options.open().registry.trust(PublicKey(key), as: name, for: prefixes)
    try Console.put(trusted.key.description)
  }
}

struct KeysList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the trusted keys.", aliases: ["ls"])

  @Flag(help: "Print JSON of the schema hub.keys/1.") var json = false
  @Flag(name: .shortAndLong, help: "Print names only.") var quiet = false
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let keys = try options.open().registry.trustedKeys()
    if json { return try Console.put(json: ["keys": .array(keys.map { .object($0.json) })], schema: "hub.keys/1") }
    guard !keys.isEmpty else { return quiet ? () : Console.say("hub: no trusted keys") }
    if quiet { return try Console.put(keys.map(\.name.text).joined(separator: "\n")) }
    var table = Table(["NAME", "KEY", "FOR", "ADDED"])
    for key in keys {
      let prefixes = key.prefixes.isEmpty ? "all others" : key.prefixes.joined(separator: ", ")
      table.add([
        key.name.text, key.key.description, prefixes,
        Console.isTerminal ? day(key.addedAt, withTime: false) : timestamp(key.addedAt),
      ])
    }
    try Console.put(table.text())
  }
}

struct KeysRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Stop trusting keys. What they signed stays installed.", aliases: ["rm"])

  @Argument(help: "Names of keys.") var names: [String]
  @OptionGroup var options: RegistryOptions

  func run() throws {
    let registry = try options.open().registry
    for name in names { try Console.put(registry.distrust(name).name.text) }
  }
}

extension TrustedKey {
  fileprivate var json: JSON.Members {
    [
      "name": .string(name.text), "key": .string(key.description), "prefixes": .array(prefixes.map { .string($0) }),
      "addedAt": .string(timestamp(addedAt)),
    ]
  }
}
