import ArgumentParser
import Dovetail
import HubForeign
import HubWords

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write an adapter in the format of another library.",
    discussion: """
      hub convert sst2 --to adapterhub -o sst2-adapterhub
      hub convert ./lora.adapter --to peft -o lora-peft

      What the other format cannot express is refused, with the name of the key. AdapterHub reads the result with \
      load_adapter(folder, use_safetensors=True), PEFT with PeftModel.from_pretrained(model, folder).
      """)

  @Argument(help: ArgumentHelp("A reference, or a file or folder.", valueName: "file-or-name"), completion: .file())
  var subject: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp("\(ForeignFormats.all.map { $0.name }.sorted().joined(separator: " or ")).", valueName: "format")
  )
  var format: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The folder to create.", valueName: "dir"), completion: .directory)
  var output: String

  @OptionGroup var options: RegistryOptions

  func run() throws {
    guard let format = ForeignFormats.all.first(where: { $0.name == format }) else {
      let known = ForeignFormats.all.map { $0.name }.sorted().joined(separator: ", ")
      throw Failure(.unknownFormat, "there is no format \(self.format.debugDescription)", hint: "formats: \(known)")
    }
    let subject = try Subject(subject, in: options.open())
    let notes = try locating(self.subject) { try ForeignFormats.write(subject.content(), as: format, to: output) }
    try Console.put(output)
    for note in notes { Console.say("hub: note: " + Console.escaped(note)) }
  }
}

extension Failure.Code {
  /// A format that nobody has.
  static let unknownFormat = Self("hub/unknown-format", .usage)
}
