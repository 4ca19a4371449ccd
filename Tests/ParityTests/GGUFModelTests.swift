import Foundation
import HubTransformer
import HubTokenizers
import HubWeights
import HubWords
import Testing

@Suite struct GGUFModelTests {
  private static let cases = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases").path

  @Test func `a GGUF file is the checkpoint that it was made of`() throws {
    let file = try Checkpoint(folder: Self.cases + "/gguf/llama"),
      own = try Checkpoint(folder: Self.cases + "/bases/llama")
    #expect(file.weights.tensors.count == own.weights.tensors.count)
    for (name, tensor) in own.weights.tensors {
      let other = try #require(file.weights.tensors[name], "\(name)")
      #expect(other.shape == tensor.shape, "\(name)")
      #expect(try other.floats() == tensor.floats(), "\(name)")
    }
    for key in ["hidden_size", "num_key_value_heads", "rope_theta", "max_position_embeddings", "num_hidden_layers"] {
      #expect(file.configuration.members[key]?.number == own.configuration.members[key]?.number, "\(key)")
    }
    _ = try file.outline()
  }

  @Test func `its tokenizer merges by scores, and falls back on bytes`() throws {
    let tokenizer = try TokenizerFile.load(folder: Self.cases + "/gguf/llama")
    let ids = try tokenizer.encode("abc ab!").ids
    // The begin token; "▁abc" is ▁ab (score -112) first of all, then "c"; "!" is a byte.
    #expect(ids.compactMap { tokenizer.token($0) } == ["<s>", "▁ab", "c", "▁ab", "<0x21>"])
    #expect(tokenizer.decode(ids) == "abc ab!")
    #expect(tokenizer.specialIDs.sep == 2)
  }

  @Test(arguments: [("general.architecture", "llamb"), ("tokenizer.ggml.model", "bert!")])
  func `another kind is refused by its name`(key: String, value: String) throws {
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: Self.cases + "/gguf/llama/model.gguf")))
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: key.utf8) }) + key.utf8.count + 12
    var changed = bytes
    changed.replaceSubrange(place..<place + 5, with: value.utf8)
    let folder = FileManager.default.temporaryDirectory.appending(path: "gguf-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(changed).write(to: folder.appending(path: "model.gguf"))
    let failure = #expect(throws: Failure.self) {
      _ = try Checkpoint(folder: folder.path)
      _ = try TokenizerFile.load(folder: folder.path)
    }
    #expect(failure?.code == .unsupportedModel || failure?.code == .unsupportedTokenizer)
    #expect(failure?.message.contains(value) == true)
  }
}
