import Dovetail
import Foundation
import HubArchive
import HubBundle
import HubForeign
import HubRegistry
import HubTokenizers
import HubTransformer
import HubWeights

extension Parser {
  static let all = archives + words + weights + folders

  private static let archives = [
    archive("zip", [".zip"], ["PK\u{1}\u{2}", "PK\u{3}\u{4}", "PK\u{5}\u{6}", "PK\u{6}\u{6}", "PK\u{6}\u{7}", "PK\u{7}\u{8}", "\u{1}\u{0}", "up", "../", "a/"]),
    archive("tar", [".tar"], ["00000000000", "77777777777", "00000000001", "ustar", "ustar  ", "0", "1", "2", "5", "x", "g", "L", "K", "S", "17 path=../../a\n", "12 size=-1\n"]) {
      Input(tarred($0.files[0].bytes))
    },
    archive("gzip", [".tar.gz", "-gzip.adapter"], []),
    archive("zstd", ["-zstd.adapter", "lora.adapter"], []),
  ]

  private static func archive(_ name: String, _ endings: [String], _ words: [String], repair: @escaping @Sendable (Input) -> Input = { $0 }) -> Parser {
    let folders = ["HubArchiveTests/Fixtures", "../Formats/bundle/v1/golden"]
    return Parser(name: name, files: folders.map { ($0, endings) }, words: words, repair: repair) { input, _ in
      let reader = try ArchiveReader(bytes: input.files[0].bytes)
      while try reader.next() != nil { try reader.forEachPiece { _ in } }
    }
  }

  private static let words = [
    Parser(name: "json", texts: [#"{"a": [1, -2.5e3, "x\u00e9\ud83d\ude00\n", true, null], "b": {"c": {}}}"#, "[[[[]]]]"], words: numbers + ["\\ud800", "\\u0000", "[", "{\"a\":", ",", ":", "\""]) { input, _ in
      // Keys are sorted when they are written.
      let text = try JSON(parsing: input.files[0].bytes).text()
      guard try JSON(parsing: text).text() == text else { throw Fault("is written otherwise than it was read") }
    },
    Parser(name: "manifest", files: [("../Formats/bundle/v1/golden", ["manifest.json"])], words: numbers + ["sha256:", "../a", "1.0", "2.0", "1.0.0-rc.1"]) { input, _ in
      let manifest = try Manifest(parsing: input.files[0].bytes)
      guard try Manifest(parsing: manifest.bytes).bytes == manifest.bytes else { throw Fault("is written otherwise than it was read") }
    },
    Parser(name: "lock", texts: [#"{"format": "dovetail-lock/1", "adapters": [{"name": "a/b", "version": "1.0.0", "digest": "sha256:\#(digits)", "signers": ["ed25519:\#(key)"]}]}"#]) { input, _ in
      let lock = try Lock(JSON(parsing: input.files[0].bytes))
      guard try Lock(lock.json).json == lock.json else { throw Fault("is written otherwise than it was read") }
    },
    Parser(name: "composition", texts: ["stack(a, fuse(b, stack(c, d), name=e), drop([0-3, 5], f))", "batch_split(base, a@^1.2, sequences=[3, 1])", "average(a, b, weights=[0.5, 1e3], normalize=false)"],
      words: numbers + ["(", ")", "[", "]", "stack(", "drop(0-", "split(", "tokens=[", "-", "0-9999999999", "\u{301}", "\r\n"]) { input, _ in
      let composition = try Composition(parsing: String(decoding: input.files[0].bytes, as: UTF8.self))
      guard try Composition(parsing: composition.description).description == composition.description else { throw Fault("is written otherwise than it was read") }
    },
    Parser(name: "reference", texts: ["lang/sw@^1.2, <2", "ner@sha256:0123456789ab", "a@1.0.0-rc.1+b", "~1", ">=1.2.3,<=9223372036854775807", "folder/ünï.txt"], words: numbers + ["^", "~", ",", ".", "@", "-", "+", "*", "/"]) { input, _ in
      let text = String(decoding: input.files[0].bytes, as: UTF8.self)
      _ = try? EntryName(text)
      _ = try? (SemanticVersion(text), PublicKey(text), Digest(text))
      if let range = try? VersionRange(text) { _ = range.contains(SemanticVersion(1, 2, 3)) }
      let reference = try AdapterReference(text)
      guard try AdapterReference(reference.description) == reference else { throw Fault("is written otherwise than it was read") }
    },
    Parser(name: "signature", files: [("../Formats/bundle/v1/golden", ["signed.adapter"])], unpacksBundles: true) { input, _ in
      for (name, bytes) in input.files where name.hasSuffix(".ed25519") {
        guard BundleSignature(bytes) != nil else { throw Failure(.badSignature, "no signature") }
      }
    },
  ]

  private static let digits = String(repeating: "0123456789abcdef", count: 4)
  /// Of RFC 8032's first test.
  private static let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

  private static let weights = [
    Parser(name: "safetensors", files: [("HubWeightsTests/Fixtures", [".safetensors"]), ("HubRegistryTests/Fixtures", [".safetensors"])],
      words: numbers + ["F64", "F32", "F16", "BF16", "I64", "BOOL", "U8", "dtype", "shape", "data_offsets", "__metadata__"],
      repair: { Input(measured($0.files[0].bytes)) }) { input, _ in
      try read(Safetensors.read(input.files[0].bytes, path: "input"))
    },
    Parser(name: "torch", files: [("HubWeightsTests/Fixtures", [".bin"])],
      words: ["ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n", "cos\nsystem\n", "\u{8A}", "J\u{0}\u{0}\u{0}", "(", ")", "t", "R", "Q", "b", "s", "u", "}", "]", "q\u{0}", "h\u{0}", "X\u{4}\u{0}\u{0}\u{0}", "."]) { input, _ in
      try read(TorchFile.read(input.files[0].bytes, path: "input"))
    },
  ]

  private static func read(_ file: WeightFile) throws {
    for tensor in file.tensors where tensor.type.byteSize > 1 { _ = try? tensor.floats() }
    try file.checkFinite()
  }

  private static let folders = [
    Parser(name: "bundle", files: [("../Formats/bundle/v1/golden", [".adapter"])], unpacksBundles: true, repair: listed) { _, folder in
      let bundle = try Bundle.open(folder: folder)
      _ = try? BundleCheck.check(bundle)
    },
    foreign("adapterhub", ["/adapter_config.json", "/adapter_fusion_config.json"]),
    foreign("peft", ["/peft/adapter_config.json"]),
    Parser(name: "tokenizer", files: [("HubTokenizersTests/Fixtures", ["/tokenizer.json", "/vocab.txt"])],
      words: numbers + ["##a", "[UNK]", "[CLS]", "A", "B", "\\u0301", "WordPiece", "BertNormalizer", "Replace", "TemplateProcessing", "ByteLevel"]) { _, folder in
      let tokenizer = try TokenizerFile.load(folder: folder)
      _ = tokenizer.decode(try tokenizer.encode("Größe: e\u{301}[MASK]漢字 unaffable\u{202E} 3.14", pair: "b").ids)
    },
    Parser(name: "model", files: [("ParityTests/Cases/bases", ["/config.json"])], words: numbers + ["gelu", "relu", "absolute", "relative_key"], repair: remeasured) { _, folder in
      let checkpoint = try Checkpoint(folder: folder)
      _ = (try checkpoint.outline(), checkpoint.fingerprint())
    },
  ]

  private static func foreign(_ name: String, _ marks: [String]) -> Parser {
    let words = [
      "pfeiffer", "houlsby", "lora", "union", "prefix_tuning", "swish", "gelu", "nice", "glow", "bert", "xmod", "classification", "tagging", "LORA", "IA3", "SEQ_CLS",
      "reduction_factor", "leave_out", "adapter_list", "phm_dim", "r", "architecture", "hidden_size", "model_type", "num_labels", "id2label", "target_modules",
      "layer.0", "layer.9", "dtype", "F32", "I64", "shape",
    ]
    return Parser(name: name, files: ["HubRegistryTests/Fixtures", "ParityTests/Cases"].map { ($0, marks) }, words: numbers + words, repair: remeasured) { _, folder in
      try BundleCheck.check(Parcel.open(folder).bundle)
    }
  }
}
