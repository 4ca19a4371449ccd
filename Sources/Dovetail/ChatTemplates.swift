import HubTokenizers
import Foundation
import HubWeights
import HubWords

/// Where the files of a model keep its chat template.
enum ChatTemplates {
  /// The template: in a file of its own, in `tokenizer_config.json`, or in the metadata of a GGUF file; `nil` if there
  /// is none.
  static func source(in folder: String) throws -> String? {
    if let name = GGUFFile.name(in: folder) {
      return try GGUFFile("\(folder)/\(name)").optional("tokenizer.chat_template", "a text") { $0.string }
    }
    if let bytes = FileManager.default.contents(atPath: folder + "/chat_template.jinja") {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw Failure(.malformedTemplate, "the file is not UTF-8", at: folder + "/chat_template.jinja")
      }
      return text
    }
    let path = folder + "/tokenizer_config.json"
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    return try locating(path) {
      let json = try JSONObject(JSON(parsing: bytes, limits: JSON.Limits(bytes: 16 << 20, roundsIntegers: true)))
      // Several templates have names; the one for chats is the default.
      return try json.optional("chat_template", "a text or named texts") { value in
        value.string ?? value.array?.first { $0["name"]?.string == "default" }?["template"]?.string
      }
    }
  }
}
