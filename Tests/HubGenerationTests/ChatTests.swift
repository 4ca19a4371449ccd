import Foundation
import HubWords
import Testing

@testable import HubGeneration

@Suite struct ChatTests {
  private static func cases() throws -> [JSONObject] {
    let own = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/chat.json").path
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: ProcessInfo.processInfo.environment["CHAT_GOLDENS"] ?? own)))
    return try (JSON(parsing: bytes, limits: .init(bytes: 1 << 24)).array ?? []).map { try JSONObject($0) }
  }

  @Test func `templates give what transformers gives`() throws {
    for one in try Self.cases() {
      let source = try one.string("template")
      for json in try one.array("cases") {
        let chat = try JSONObject(json), others = try chat.object("others").members.entries
        func text() throws -> String {
          try ChatTemplate(source).text(
            of: chat.members["messages"] ?? .null, addsPrompt: try chat.optionalBool("prompt") ?? true,
            tokens: ["bos_token": "<s>", "eos_token": "</s>"],
            others: Dictionary(uniqueKeysWithValues: others.map { ($0.key, $0.value) }))
        }
        if let expected = try chat.optionalString("text") {
          do {
            let got = try text()
            #expect(got == expected, "\(source)")
          } catch {
            Issue.record("\(source): \(error)")
          }
        } else {
          #expect(throws: Failure.self, "\(source)") { try text() }
        }
      }
    }
  }

  @Test(arguments: [
    "{% for i in range(100000000000) %}{% endfor %}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x | replace('a', ns.x) %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
    "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    String(repeating: "{% if true %}", count: 1000), "{{ " + String(repeating: "(", count: 1000),
    "{{ " + String(repeating: "-", count: 100_000) + "1 }}", "{{ 9223372036854775807 + 1 }}",
    "{{ -9223372036854775807 - 2 }}",
    "{{ (-9223372036854775807 - 1) // -1 }}",
  ])
  func `templates that never end, or grow beyond all measure, are stopped`(source: String) {
    #expect(throws: Failure.self) { try ChatTemplate(source).text(of: []) }
  }
}
