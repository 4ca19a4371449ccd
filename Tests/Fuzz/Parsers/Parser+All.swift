import Dovetail
import Foundation
import HubArchive
import HubBundle
import HubForeign
import HubGeneration
import HubRegistry
import HubTokenizers
import HubTransformer
import HubWeights
import HubWords

extension Parser {
  /// All of them. One line each, and a corpus of its name.
  package static let all = archives + words + weights + folders

  private static let archives = [
    archive(
      "zip",
      [
        "PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "PK\u{6}\u{7}", "PK\u{7}\u{8}", "\u{1}\u{0}",
        "up", "../", "a/",
      ], repair: zipped),
    archive(
      "tar",
      [
        "00000000000", "77777777777", "00000000001", "ustar", "ustar  ", "0", "1", "2", "5", "x", "g", "L", "K", "S",
        "17 path=../../a\n", "12 size=-1\n",
      ], repair: tarred),
    archive("gzip", []),
    archive("zstd", []),
  ]

  private static func archive(
    _ name: String, _ words: [String], repair: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 }
  ) -> Parser {
    Parser(name, words: words, repair: repair) { bytes in
      let reader = try ArchiveReader(bytes: bytes)
      while try reader.next() != nil { try reader.forEachPiece { _ in } }
    }
  }

  private static let words = [
    Parser("json", words: numbers + ["\\ud800", "\\u0000", "[", "{\"a\":", ",", ":", "\""]) { bytes in
      // Keys are sorted when they are written.
      let text = try JSON(parsing: bytes).text()
      guard try JSON(parsing: text).text() == text else { throw Fault("is written otherwise than it was read") }
    },
    Parser("manifest", words: numbers + ["sha256:", "../a", "1.0", "2.0", "1.0.0-rc.1"]) { bytes in
      let manifest = try Manifest(parsing: bytes)
      guard try Manifest(parsing: manifest.bytes).bytes == manifest.bytes else {
        throw Fault("is written otherwise than it was read")
      }
    },
    Parser("lock", words: numbers + ["sha256:", "ed25519:", "dovetail-lock/1"]) { bytes in
      let lock = try Lock(JSON(parsing: bytes))
      guard try Lock(lock.json).json == lock.json else { throw Fault("is written otherwise than it was read") }
    },
    Parser(
      "chat",
      words: numbers + [
        "{{", "}}", "{%", "%}", "{#", "-", "for x in messages", "if", "endif", "endfor", "set", "loop", "namespace()",
        "|", "tojson",
        "range(9)", "[::-1]", "is defined",
      ]
    ) { bytes in
      let chat: JSON = [["role": "user", "content": "é a"], ["role": "assistant", "content": ""]]
      _ = try ChatTemplate(String(decoding: bytes, as: UTF8.self)).text(of: chat, tokens: ["bos_token": "<s>"])
    },
    Parser(
      "composition",
      words: numbers + [
        "(", ")", "[", "]", "stack(", "drop(0-", "split(", "tokens=[", "-", "0-9999999999", "\u{301}", "\r\n",
      ]
    ) { bytes in
      let composition = try Composition(parsing: String(decoding: bytes, as: UTF8.self))
      guard try Composition(parsing: composition.description).description == composition.description else {
        throw Fault("is written otherwise than it was read")
      }
    },
    Parser("reference", words: numbers + ["^", "~", ",", ".", "@", "-", "+", "*", "/"]) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      _ = try? EntryName(text)
      _ = try? (SemanticVersion(text), PublicKey(text), Digest(text))
      if let range = try? VersionRange(text) {
        _ = (range.contains(SemanticVersion(1, 2, 3)), range.contains(try SemanticVersion("1.2.3-rc.1")))
      }
      let reference = try AdapterReference(text)
      guard try AdapterReference(reference.description) == reference else {
        throw Fault("is written otherwise than it was read")
      }
    },
    Parser("signature", words: []) { bytes in
      guard BundleSignature(bytes) != nil else { throw Failure(.badSignature, "no signature") }
    },
  ]

  private static let weights = [
    Parser(
      "safetensors",
      words: numbers + [
        "F64", "F32", "F16", "BF16", "I64", "BOOL", "U8", "dtype", "shape", "data_offsets", "__metadata__",
      ], repair: measured
    ) { bytes in
      try read(Safetensors.read(bytes, path: "input"))
    },
    Parser("gguf", words: numbers + ["GGUF", "general.alignment", "\u{20}\u{0}\u{0}\u{0}", "\u{8}\u{0}\u{0}\u{0}"]) {
      bytes in
      for tensor in try GGUFFile(bytes, path: "input").tensors { _ = tensor.floats() }
    },
    Parser(
      "torch",
      words: [
        "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n", "cos\nsystem\n",
        "\u{8A}", "J\u{0}\u{0}\u{0}",
        "(", ")", "t", "R", "Q", "b", "s", "u", "}", "]", "q\u{0}", "h\u{0}", "X\u{4}\u{0}\u{0}\u{0}", ".",
      ]
    ) { bytes in
      try read(TorchFile.read(bytes, path: "input"))
    },
  ]

  private static func read(_ file: WeightFile) throws {
    for tensor in file.tensors where tensor.type.byteSize > 1 { _ = try? tensor.floats() }
    try file.checkFinite()
  }

  private static let folders = [
    Parser("bundle", words: numbers, repair: listed) { folder in
      let bundle = try Bundle.open(folder: folder)
      _ = try? BundleCheck.check(bundle)
    },
    Parser("adapterhub", words: numbers + adapters, repair: remeasured, folder: check),
    Parser("peft", words: numbers + adapters, repair: remeasured, folder: check),
    Parser("tokenizer", words: numbers + tokenizers, repair: { $0 }) { folder in
      let tokenizer = try TokenizerFile.load(folder: folder)
      let text = "Größe: e\u{301}[MASK]漢字 unaffable\u{202E} 3.14"
      _ = try? (
        tokenizer.encode(words: [text, "b"], maxLength: 9), tokenizer.windows("b", pair: text, maxLength: 9, overlap: 2)
      )
      _ = tokenizer.decode(try tokenizer.encode(text, pair: "b").ids)
    },
    Parser("model", words: numbers + ["gelu", "relu", "absolute", "relative_key"], repair: remeasured) { folder in
      let checkpoint = try Checkpoint(folder: folder)
      _ = (try checkpoint.outline(), checkpoint.fingerprint())
    },
  ]

  @Sendable private static func check(_ folder: String) throws { try BundleCheck.check(Parcel.open(folder).bundle) }

  private static let adapters = [
    "pfeiffer", "houlsby", "lora", "union", "prefix_tuning", "swish", "gelu", "nice", "glow", "bert", "xmod",
    "classification", "tagging", "LORA", "IA3",
    "SEQ_CLS", "reduction_factor", "leave_out", "adapter_list", "phm_dim", "r", "architecture", "hidden_size",
    "model_type", "num_labels", "id2label",
    "target_modules", "layer.0", "layer.9", "dtype", "F32", "I64", "shape",
  ]

  private static let tokenizers = [
    "##a", "[UNK]", "[CLS]", "<s>", "▁", "Ġ", "A", "B", "\\u0301", "WordPiece", "Unigram", "BPE", "BertNormalizer",
    "Precompiled", "Replace", "Strip", "Sequence",
    "BertPreTokenizer", "Metaspace", "ByteLevel", "WhitespaceSplit", "TemplateProcessing", "RobertaProcessing",
  ]

  private static let numbers = [
    "0", "-1", "1", "2", "3.5", "1e308", "1e999", "-0.0", "1e-320", "255", "256", "65536", "65537", "2147483647",
    "2147483648", "4294967296",
    "4611686018427387904", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615",
    "null", "true", "false", "[]",
    "{}", "\"\"", "\"x\"", "[1]", "[-1]", "[9223372036854775807]", "[4611686018427387904]", "{\"a\":1}", "NaN",
    "Infinity", "é", "\u{0}", "\u{202E}", "ß", "e\u{301}",
  ]
}
