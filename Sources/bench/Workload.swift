import HubAdapters
import HubWords

/// What is timed. The shapes are those of the peers' scripts, so that figures can stand side by side.
struct Workload {
  let name: String
  /// Tokens of each row.
  let lengths: [Int]
  let composition: Composition?
  /// The heads that answer: one for all rows, or one for each branch or part.
  var heads: [String] = ["task0"]
  /// The adapter that a step trains, and with it the head, if there is one; `nil` for a pass without training.
  var trained: String?

  static let all = [
    Workload(name: "base_8x128", lengths: rows(8, of: 128), composition: nil, heads: []),
    Workload(name: "classify_1x32", lengths: [32], composition: stack),
    Workload(name: "classify_8x128", lengths: rows(8, of: 128), composition: stack),
    Workload(name: "classify_ragged32", lengths: ragged, composition: stack),
    Workload(name: "classify_4x512", lengths: rows(4, of: 512), composition: stack),
    Workload(
      name: "fuse8_8x128", lengths: rows(8, of: 128), composition: .stack(["lang0", .fuse(tasks(8), name: nil)])),
    Workload(name: "parallel8_4x128", lengths: rows(4, of: 128), composition: .parallel(tasks(8)), heads: names(8)),
    Workload(
      name: "tenants16_16x64", lengths: rows(16, of: 64),
      composition: .batchSplit(tasks(16), sequences: rows(16, of: 1)), heads: names(16)),
    Workload(name: "lora_8x128", lengths: rows(8, of: 128), composition: "lora0", heads: ["lora0"]),
    Workload(name: "train_task_8x128", lengths: rows(8, of: 128), composition: stack, trained: "task0"),
    Workload(name: "train_lang_8x128", lengths: rows(8, of: 128), composition: "lang0", heads: [], trained: "lang0"),
    Workload(
      name: "train_lora_8x128", lengths: rows(8, of: 128), composition: "lora0", heads: ["lora0"], trained: "lora0"),
  ]

  /// One of each method, to be compared with `base_8x128`.
  static let methods = MethodCatalogue.all.map {
    Workload(name: "method_\($0.name)", lengths: rows(8, of: 128), composition: .adapter("fresh/\($0.name)"), heads: [])
  }

  private static let stack: Composition = .stack("lang0", "task0")

  private static func names(_ count: Int) -> [String] { (0..<count).map { "task\($0)" } }

  private static func tasks(_ count: Int) -> [Composition] { names(count).map(Composition.adapter) }

  private static func rows(_ count: Int, of length: Int) -> [Int] { Array(repeating: length, count: count) }

  /// The lengths that the peers' scripts draw between 8 and 128.
  private static let ragged = [
    25, 80, 116, 110, 105, 16, 40, 23, 71, 105, 65, 68, 91, 56, 108, 34,
    20, 70, 11, 122, 114, 57, 63, 85, 105, 106, 8, 97, 65, 42, 100, 110,
  ]
}
