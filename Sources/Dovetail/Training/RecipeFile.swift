import Foundation
import HubArchive
import HubTraining
import HubWords
import Yams

extension Recipe {
  /// Bytes of a recipe.
  private static let limit = 1 << 20

  /// Reads a recipe in YAML.
  ///
  /// - Parameters:
  ///   - settings: `key=value`, each in the place of what the file says
  /// - Throws: ``Failure`` with code ``Failure/Code/invalidRecipe`` at line and column: not YAML, an unknown key, a
  ///   value that makes no sense.
  public init(file path: String, settings: [String] = []) throws {
    guard let bytes = FileManager.default.contents(atPath: path) else {
      throw Failure(.missingFile, "there is no such recipe", at: path, hint: "hub train --init TASK writes one")
    }
    guard bytes.count <= Self.limit, let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.invalidRecipe, "a recipe must be UTF-8 and at most 1 MB", at: path)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    var values = try Self.values(of: Self.node(text, name), name)
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw Failure(.invalidRecipe, "a setting has the form key=value", at: "--set \(setting)")
      }
      let place = "--set \(setting)"
      let value = Value(json: try Self.json(Self.node(parts[1], place), parts[0], place), place: place)
      values.removeAll { $0.key == parts[0] }
      values.append((parts[0], value))
    }
    try self.init(
      values,
      folder: (path as NSString).deletingLastPathComponent.isEmpty ? "." : (path as NSString).deletingLastPathComponent)
  }

  private static func node(_ text: String, _ name: String) throws -> Node {
    do {
      return try Yams.compose(yaml: text) ?? Node("")
    } catch let error as YamlError {
      throw Failure(.invalidRecipe, "not YAML: \(problem(error))", at: place(error, in: text, name))
    }
  }

  private static func problem(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
    case .duplicatedKeysInMapping(let duplicates, _):
      "the key \(duplicates.first.map { "\($0)".debugDescription } ?? "") appears twice"
    default: "\(error)".split(separator: "\n").last.map(String.init) ?? "\(error)"
    }
  }

  private static func place(_ error: YamlError, in text: String, _ name: String) -> String {
    switch error {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): return place(mark, name)
    case .duplicatedKeysInMapping(let duplicates, _):
      // The parser tells where the mapping begins: the key's last line is what is too much.
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let line = duplicates.first.flatMap { key in lines.lastIndex { $0.hasPrefix("\(key):") } }
      return "\(name): line \((line ?? 0) + 1), column 1"
    default: return name
    }
  }

  private static func place(_ mark: Mark?, _ name: String) -> String {
    mark.map { "\(name): line \($0.line), column \($0.column)" } ?? name
  }

  private static func values(of node: Node, _ name: String) throws -> [(key: String, value: Value)] {
    guard case .mapping(let mapping) = node else {
      throw Failure(
        .invalidRecipe, "a recipe must consist of keys and values", at: place(node.mark, name),
        hint: "such as: task: classification")
    }
    return try mapping.map { pair in
      guard let key = pair.key.string else {
        throw Failure(.invalidRecipe, "a key must be text", at: place(pair.key.mark, name))
      }
      let isKnown = RecipeKey.all.contains { $0.name == key }, mark = isKnown ? pair.value.mark : pair.key.mark
      let place = place(mark ?? pair.key.mark, name)
      return (key, Value(json: try json(pair.value, key, place), place: place))
    }
  }

  /// A value as its key wants it: where a text is wanted, `no` is Norwegian and `1.0` a version.
  private static func json(_ node: Node, _ key: String, _ place: String) throws -> JSON {
    switch RecipeKey.all.first(where: { $0.name == key })?.kind {
    case .text, .file, .choice, .textOrMapping:
      if case .scalar(let scalar) = node { return .string(scalar.string) }
    case .texts:
      if case .sequence(let nodes) = node {
        return .array(nodes.map { $0.scalar.map { .string($0.string) } ?? .null })
      }
    default: break
    }
    return try json(node, place, depth: 0)
  }

  private static func json(_ node: Node, _ place: String, depth: Int) throws -> JSON {
    guard depth < 16 else { throw Failure(.invalidRecipe, "the values are nested too deeply", at: place) }
    switch node {
    case .scalar(let scalar): return value(scalar)
    case .sequence(let nodes): return .array(try nodes.map { try json($0, place, depth: depth + 1) })
    case .mapping(let mapping):
      return .object(
        try mapping.reduce(into: JSON.Members()) { members, pair in
          members[pair.key.scalar?.string ?? ""] = try json(pair.value, place, depth: depth + 1)
        })
    default: throw Failure(.invalidRecipe, "aliases are not supported", at: place)
    }
  }

  /// Numbers, truth values and nothing where they are written plainly; anything in quotes is a text.
  private static func value(_ scalar: Node.Scalar) -> JSON {
    guard scalar.style == .plain else { return .string(scalar.string) }
    switch scalar.string {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null", "~", "": return .null
    case let text:
      if let integer = Int(text) { return .integer(integer) }
      if let number = Double(text), number.isFinite { return .number(number) }
      return .string(text)
    }
  }

  /// A recipe for a task with all keys, those that may be left out as comments.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownTask``.
  public static func template(for task: String) throws -> String {
    guard let objective = Objectives.named(task) else {
      let known = Objectives.all.map { $0.task }
      throw Failure(
        .unknownTask, "there is no task \(task.debugDescription)", hint: "there are: \(known.joined(separator: ", "))")
    }
    let columns = objective.columns.required.joined(separator: ", "),
      others = objective.columns.optional.joined(separator: ", ")
    let data =
      ["masked_lm", "causal_lm"].contains(task)
      ? "texts.txt"
      : task == "tagging"
        ? "train.conll"
        : task == "dependency_parsing"
          ? "train.conllu"
          : task == "question_answering" ? "train.json" : task == "multiple_choice" ? "train.jsonl" : "train.tsv"
    let base = ["causal_lm": "smollm2", "seq2seq_lm": "t5"][task] ?? "minilm"
    let given = ["task": task, "name": "my-\(task.replacing("_", with: "-"))", "base": base, "train": data]
    var lines = [
      "# hub train FILE.yaml; each value can be replaced by --set key=value.",
      "# The rows have: \(columns)" + (others.isEmpty ? "" : ", and perhaps \(others)"),
      "# The best weights are told by: " + Scores.metrics(of: objective.answer).joined(separator: ", "), "",
    ]
    for key in RecipeKey.all {
      let value = given[key.name] ?? key.usual
      lines.append(
        (given[key.name] == nil ? "# " : "")
          + "\(key.name): \(value)".padding(toLength: 40, withPad: " ", startingAt: 0) + "# \(key.about)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
