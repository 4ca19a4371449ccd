import HubWords

/// Rows and columns: aligned and cut to fit for a person, separated by tabs and whole for a program.
struct Table {
  private let header: [String]
  private var rows: [[String]] = []

  init(_ header: [String]) { self.header = header }

  /// - Parameter cells: one for each column; text from files may be among them.
  mutating func add(_ cells: [String]) { rows.append(cells.map(Console.escaped)) }

  /// - Parameter width: columns of the terminal; `nil` for a program.
  func text(width: Int? = Console.width) -> String {
    guard let width else { return rows.map { $0.joined(separator: "\t") }.joined(separator: "\n") }
    var widths = header.indices.map { column in ([header] + rows).map { $0[column].columns }.max() ?? 0 }
    let gaps = 2 * (header.count - 1)
    while widths.reduce(gaps, +) > width, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
      widths[widest] > 8
    {
      widths[widest] -= 1
    }
    return ([header] + rows).map { line($0, widths) }.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    let padded = zip(cells, widths).map { cell, width in
      cell.shortened(toColumns: width).padded(toColumns: width)
    }
    return padded.joined(separator: "  ").replacing(/\ +$/, with: "")
  }
}

/// What there is to say about one thing, a line each.
struct Sheet {
  private var lines: [(key: String, value: String)] = []

  /// Adds a line, unless there is nothing to say.
  mutating func add(_ key: String, _ value: String?) {
    guard let value, !value.isEmpty else { return }
    lines.append((key, Console.escaped(value)))
  }

  var text: String {
    let width = lines.map(\.key.count).max() ?? 0
    return lines.map { $0.key + ":" + String(repeating: " ", count: width - $0.key.count + 1) + $0.value }.joined(
      separator: "\n")
  }
}
