import ArgumentParser
import Glibc
import HubArchive

/// Texts as arguments, or lines of a file or of standard input.
struct TextOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Read texts or JSON lines from a file; - is standard input.", valueName: "file"),
    completion: .file())
  var input: String?
  @Option(help: "The format of the lines: text or jsonl; by default, the first line decides.") var format: LineFormat?
  @Argument(help: "Texts.") var text: [String] = []

  func validate() throws {
    if !text.isEmpty, input != nil { throw ValidationError("give texts or --input, not both") }
    if !text.isEmpty, format != nil {
      throw ValidationError("--format is for lines of an input, not for texts given as arguments")
    }
    if text.isEmpty, input == nil, isatty(STDIN_FILENO) == 1 {
      throw ValidationError("there is no text: give texts or --input")
    }
  }

  /// The input, where no text is an argument.
  func bytes() throws -> InputBytes {
    guard let input, input != "-" else { return try InputBytes() }
    return try InputBytes(path: input)
  }
}
