import ArgumentParser
import Dovetail
import Foundation
import HubBundle
import HubAdapters
import HubArchive
import HubWords
import HubRegistry

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Combine the weights of several adapters into one.",
    discussion: """
      hub merge de nl --as germanic -o germanic.adapter
      hub merge sst2 toxicity --weights 1,-0.5 --no-normalize -o kind.adapter
      hub merge a b --strategy svd --rank 8 -o ab.adapter

      The adapters may differ only in their weights. Heads are averaged too, if they allow it. The bundle records what \
      it was made of.
      """)

  enum Strategy: String, ExpressibleByArgument, CaseIterable {
    case linear
    case negateB = "negate-b"
    case svd
  }

  @Argument(help: ArgumentHelp("References, files or folders.", valueName: "file-or-name"), completion: .file())
  var subjects: [String]

  @Option(help: ArgumentHelp("One number for each adapter; by default all are equal.", valueName: "list"))
  var weights: String?
  @Flag(help: "Leave the weights as they are, instead of dividing them by their sum.") var noNormalize = false
  @Option(help: "linear; for LoRA also negate-b (negative weights subtract) and svd (of the products).")
  var strategy = Strategy.linear
  @Option(help: ArgumentHelp("The rank of the result with svd.", valueName: "n")) var rank: Int?
  @Option(name: .customLong("as"), help: "The name of the result.") var name: AdapterName?
  @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
  var output: String
  @Flag(help: "Overwrite a file that exists.") var force = false
  @OptionGroup var options: RegistryOptions

  func validate() throws {
    if subjects.count < 2 { throw ValidationError("give at least two adapters to merge") }
    if (strategy == .svd) != (rank != nil) {
      throw ValidationError("--rank is needed with --strategy svd, and only there")
    }
  }

  func run() throws {
    guard force || !FileManager.default.fileExists(atPath: output) else {
      throw Failure(
        .existingFile, "something with this name exists already", at: output, hint: "overwrite it with --force")
    }
    let parents = try subjects.map { try Subject($0, in: options.open()) }
    let merger = Merger(
      parents: try parents.map { Merger.Parent(try $0.content(), digest: $0.digest) }, weights: try numbers(),
      normalizes: !noNormalize,
      strategy: strategy == .linear ? .linear : strategy == .negateB ? .negatingB : .product(rank: rank ?? 1))
    let usual = try AdapterName(String(parents.map(\.manifest.name.text).joined(separator: "+").prefix(64)))
    let (builder, notes) = try merger.builder(named: name ?? usual)
    let parcel = try Parcel(builder)
    try BundleCheck.check(parcel.bundle)
    try Console.put(parcel.pack(to: output).description)
    for note in notes { Console.say("hub: note: " + Console.escaped(note)) }
  }

  private func numbers() throws -> [Double]? {
    guard let weights else { return nil }
    let numbers = weights.split(separator: ",").compactMap { Double($0) }.filter(\.isFinite)
    guard numbers.count == subjects.count,
      numbers.count == weights.split(separator: ",", omittingEmptySubsequences: false).count
    else {
      throw ValidationError("--weights takes a number for each of the \(subjects.count) adapters, such as 1,-0.5")
    }
    return numbers
  }
}
