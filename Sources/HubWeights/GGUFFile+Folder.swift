import Foundation

extension GGUFFile {
  /// The name of the GGUF file that a folder is about: its only one, where there is no `config.json`; `nil` otherwise.
  public static func name(in folder: String) -> String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let files = names.filter { $0.hasSuffix(".gguf") && !$0.hasPrefix(".") }
    return files.count == 1 && !names.contains("config.json") ? files[0] : nil
  }
}
