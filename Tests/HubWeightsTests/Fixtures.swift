import Foundation
import HubWords
import HubTesting

/// The files that `Fixtures/make.py` made.
enum Fixture {
  static func path(_ name: String) -> String {
    #filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/Fixtures/" + name
  }

  static func names(in folder: String, _ suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(folder)).filter { $0.hasSuffix(suffix) }.sorted()
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try contents(of: path(name))
  }

  /// The tensors as the library that wrote the file sees them.
  static func expected(_ name: String) throws -> [String: (shape: [Int], values: [Double])] {
    let json = try JSONObject(try JSON(parsing: try bytes("\(name).expected.json")))
    var result: [String: (shape: [Int], values: [Double])] = [:]
    for entry in json.members.entries {
      let tensor = try JSONObject(entry.value)
      result[entry.key] = (
        try tensor.array("shape").compactMap(\.integer), try tensor.array("values").compactMap(\.number)
      )
    }
    return result
  }
}
