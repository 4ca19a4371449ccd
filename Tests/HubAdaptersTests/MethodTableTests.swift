import Foundation
import HubAdapters
import HubWords
import HubModels
import HubTransformer
import Testing

/// `Formats/methods.md` is what the catalogue says: `RECORD=1 swift test --filter MethodTableTests` writes it again.
@Suite struct MethodTableTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../../Formats/methods.md"
  ).standardizedFileURL

  private static let base: JSON.Members = [
    "model_type": "bert", "vocab_size": 30_522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512, "type_vocab_size": 2, "hidden_act": "gelu",
  ]

  private static let introduction = """
    # Methods

    What the adapter methods of Dovetail compute, what they cost, and what they compose with. `D` and `U` are projections
    down and up, `f` is a non-linearity, `h` what a sublayer or a layer gave, `x` and `r` what went into it, `LN` the base
    model's layer norm.

    The parameters are those of each method's usual configuration on a model of the shape of BERT base, frozen ones that
    come with the adapter included; the share is that of the base model's. Methods with a † cannot be trained here: PEFT
    trains them, and their adapters are kept with their matrices written out. A program can add methods of its own: see
    `Examples/CustomMethod`.

    This table is made from `Sources/HubAdapters/MethodCatalogue.swift`, and a test keeps it so.

    | method | computes | paper | parameters | share | composes with |
    |---|---|---|--:|--:|---|

    """

  private static func table() throws -> String {
    let schema = SchemaParameters(),
      shape = try BERT(.bert, configuration: JSONObject(base), weights: ParameterSource(schema)).shape
    let total = schema.parameterCount
    #expect(total == 109_482_240)
    return try MethodCatalogue.all.reduce(into: introduction) { text, method in
      let (parameters, blocks) = try method.summary(for: shape),
        share = String(format: "%.2f %%", 100 * Double(parameters) / Double(total))
      text +=
        "| `\(method.name)`\(method.isTrainable ? "" : " †") | \(method.equation) | \(method.paper) | \(grouped(parameters)) | \(share) | \(blocks.joined(separator: ", ")) |\n"
    }
  }

  /// The digits in groups of three.
  private static func grouped(_ number: Int) -> String {
    let digits = Array(String(number))
    return digits.indices.reduce(into: "") { text, index in
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digits[index])
    }
  }

  @Test func thePageIsWhatTheCatalogueSays() throws {
    let table = try Self.table()
    if ProcessInfo.processInfo.environment["RECORD"] != nil { try Data(table.utf8).write(to: Self.file) }
    #expect(try String(contentsOf: Self.file, encoding: .utf8) == table, "RECORD=1 writes the page again")
    #expect(MethodCatalogue.all.allSatisfy { !$0.equation.contains("|") && !$0.paper.contains("|") })
  }

  /// Counted by hand: two matrices and two biases in each of 12 layers; two low-rank matrices at two places; a vector
  /// each.
  @Test(arguments: [("seq_bn", 12 * (2 * 768 * 48 + 48 + 768)), ("lora", 12 * 2 * 2 * 8 * 768), ("lhuc", 12 * 768)])
  func parametersAreThoseOfTheFormula(name: String, parameters: Int) throws {
    let method = try #require(MethodCatalogue.all.first { $0.name == name })
    let shape = ModelShape(hiddenSize: 768, embeddingSize: 768, intermediateSize: 3072, layers: 12)
    #expect(try method.summary(for: shape).parameters == parameters)
  }
}
