import HubTransformer
import HubAdapters
import HubTensor
import HubTraining
import HubWords

/// The examples of a recipe, and what there is to say of them before anything is learned.
struct TrainingData {
  let objective: any Objective.Type
  let labels: [String]
  /// Some rows, for what a head must know of them.
  let rows: [DataRow]
  let train, development, test: [TrainingExample]
  /// The files, and the digests of what they hold.
  let files: [(key: String, name: String, digest: Digest, rows: Int)]
  /// Examples of the development or test set that the training set has, too.
  let duplicates: Int
  /// Rows that teach nothing, such as sentences that are too long for a tree.
  let skipped: Int

  /// - Throws: ``Failure`` that names file and line.
  init(_ recipe: Recipe, _ objective: any Objective.Type, _ base: TrainingBase) throws {
    self.objective = objective
    var files: [(key: String, name: String, digest: Digest, rows: Int)] = []
    func rows(_ key: String) throws -> [DataRow]? {
      guard let path = try recipe.file(key) else { return nil }
      let format = try recipe.text("format").flatMap(DataFormat.init) ?? DataFormat(ofFile: path)
      let rows = try format.rows(ofFile: path).map { try Self.renamed($0, recipe, objective) }
      files.append((key, recipe.text(key) ?? "", Self.digest(of: rows), rows.count))
      return rows
    }
    var train = try rows("train") ?? [], development = try rows("dev")
    let test = try rows("test") ?? []
    if development == nil { (train, development) = Self.split(train, recipe) }
    labels = try Self.labels(train, objective)
    var encoder = ExampleEncoder(
      tokenizer: base.tokenizer, maximumLength: min(recipe.integer("max_length", 128), base.model.maximumLength),
      labels: labels)
    encoder.writes(with: base.model, endToken: base.endToken)
    var skipped = 0
    func examples(_ rows: [DataRow]) throws -> [TrainingExample] {
      try rows.flatMap { row in
        let examples = try objective.examples(of: row, encoder)
        if examples.isEmpty { skipped += 1 }
        return examples
      }
    }
    self.train = try examples(train)
    self.development = try examples(development ?? [])
    self.test = try examples(test)
    self.skipped = skipped
    self.rows = Array(train.prefix(8))
    self.files = files
    guard !self.train.isEmpty else { throw recipe.failure("train", "the file has no row that teaches anything") }
    let seen = Set(self.train.map(\.ids))
    duplicates = (self.development + self.test).count { seen.contains($0.ids) }
  }

  /// The columns under the names that the task has for them.
  private static func renamed(_ row: DataRow, _ recipe: Recipe, _ objective: any Objective.Type) throws -> DataRow {
    guard let names = recipe.mapping("columns") else { return row }
    var columns = row.columns
    for entry in names.entries {
      guard let name = entry.value.string else { continue }
      columns[entry.key] = try row.value(name)
    }
    return DataRow(columns, file: row.file, line: row.line)
  }

  /// A share of the rows, chosen by the seed; those that are left stay in order.
  private static func split(_ rows: [DataRow], _ recipe: Recipe) -> ([DataRow], [DataRow]) {
    let count = Int((Double(rows.count) * recipe.number("dev_share", 0.05)).rounded())
    guard count > 0, count < rows.count else { return (rows, []) }
    var generator = Randomness(seed: UInt64(recipe.integer("seed", 1))).generator(for: 4)
    let chosen = Set(rows.indices.shuffled(using: &generator).prefix(count))
    return (
      rows.indices.filter { !chosen.contains($0) }.map { rows[$0] },
      rows.indices.filter(chosen.contains).map { rows[$0] }
    )
  }

  /// Numbers in their order, other names in that of their letters.
  private static func labels(_ rows: [DataRow], _ objective: any Objective.Type) throws -> [String] {
    let labels = try rows.reduce(into: Set<String>()) { $0.formUnion(try objective.labels(of: $1)) }
    let numbers = labels.compactMap { Int($0) }
    if numbers.count == labels.count { return numbers.sorted().map { "\($0)" } }
    return labels.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func digest(of rows: [DataRow]) -> Digest {
    var hasher = Digest.Hasher()
    for row in rows { hasher.update(JSON.object(row.columns).text() + "\n") }
    return hasher.finish()
  }
}
