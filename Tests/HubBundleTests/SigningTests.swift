import Foundation
import HubArchive
import HubWords
import HubTesting
import Testing

@testable import HubBundle

@Suite struct SigningTests {
  private struct Vector: Decodable {
    let comment, key, message, signature: String
    let valid: Bool
  }

  private static let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Formats/bundle/v1/ed25519.json")

  private func bytes(_ hex: String) throws -> [UInt8] {
    let digits = Array(hex)
    return try stride(from: 0, to: digits.count, by: 2).map {
      try #require(UInt8(String(digits[$0...$0 + 1]), radix: 16))
    }
  }

  @Test func `What must verify does, and what some let pass does not`() throws {
    let vectors = try JSONDecoder().decode([Vector].self, from: Data(contentsOf: Self.vectors))
    #expect(vectors.count { $0.valid } >= 3 && vectors.count { !$0.valid } >= 20)
    for vector in vectors {
      let key = try? PublicKey(bytes: bytes(vector.key))
      let verifies = try key?.verifies(bytes(vector.signature), of: bytes(vector.message)) ?? false
      #expect(verifies == vector.valid, "\(vector.comment)")
    }
  }

  /// RFC 8032, 7.1, test 1; the seed in the text of RFC 8410.
  @Test func `A secret key signs as the standard says`() throws {
    let key = try SigningKey(seed: bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    #expect(key.publicKey.description == "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    #expect(key.publicKey.verifies(try key.signature(of: []), of: []))
    let scratch = try Scratch()
    try key.write(to: scratch("key"))
    let text =
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n"
    #expect(String(decoding: try scratch.bytes("key"), as: UTF8.self) == text)
    #expect(try SigningKey(file: scratch("key")).publicKey == key.publicKey)
    #expect(code { try key.write(to: scratch("key")) } == "file/exists")
    chmod(scratch("key"), 0o640)
    #expect(code { _ = try SigningKey(file: scratch("key")) } == "key/exposed")
  }

  @Test(arguments: [
    "", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", String(repeating: "A", count: 100_000),
  ])
  func `Other files are no secret keys`(_ text: String) throws {
    let scratch = try Scratch()
    chmod(try scratch.file("key", Array(text.utf8)), 0o600)
    #expect(code { _ = try SigningKey(file: scratch("key")) } == "key/malformed-secret")
  }

  @Test(arguments: [
    "", "ed25519:", "ed25519:00", String(repeating: "0", count: 64), "ed25519:" + String(repeating: "F", count: 64),
    "01" + String(repeating: "0", count: 62),
  ])
  func `Other texts are no public keys`(_ text: String) { #expect(code { _ = try PublicKey(text) } == "key/malformed") }

  @Test("A signature is not listed and holds in every container", arguments: Compression.allCases)
  func signing(compression: Compression) throws {
    let (scratch, keys) = (try Scratch(), [try SigningKey(), try SigningKey()])
    let digest = try Sample.builder().write(to: scratch("bundle")).digest
    try Bundle.pack(folder: scratch("bundle"), to: scratch("packed"), compression: compression)
    for key in keys { #expect(try Bundle.sign(scratch("packed"), with: key) == digest) }
    let once = try scratch.bytes("packed")
    try Bundle.sign(scratch("packed"), with: keys[0])
    #expect(try scratch.bytes("packed") == once)
    let signers = keys.map(\.publicKey).sorted()
    #expect(try Bundle.describe(file: scratch("packed")).signatures.map(\.key) == signers)
    let unpacked = try Bundle.unpack(file: scratch("packed"), into: scratch("again"))
    #expect(unpacked.digest == digest && unpacked.signatures.map(\.key) == signers)
    for key in keys { try Bundle.sign(scratch("bundle"), with: key) }
    #expect(scratch.listing.filter { $0.hasSuffix(".ed25519") }.count == 4)
    for signature in unpacked.signatures {
      #expect(try scratch.bytes("bundle/\(signature.path)") == scratch.bytes("again/\(signature.path)"))
    }
    #expect(scratch.listing.filter { $0.contains(".tmp") || $0.hasPrefix(".") }.isEmpty)
  }

  @Test func `A signer in the manifest cannot be taken away`() throws {
    let (scratch, key) = (try Scratch(), try SigningKey())
    var builder = try Sample.builder()
    builder.signer = key
    let bundle = try builder.write(to: scratch("bundle"))
    #expect(bundle.signatures.map(\.key) == [key.publicKey] && bundle.manifest.signers == [key.publicKey.description])
    try Bundle.sign(scratch("bundle"), with: SigningKey())
    try FileManager.default.removeItem(atPath: scratch("bundle/\(BundleSignature.path(of: key.publicKey))"))
    #expect(code { _ = try Bundle.open(folder: scratch("bundle")) } == "bundle/missing-signature")
    #expect(code { try Bundle.sign(scratch("bundle"), with: key) } == "bundle/missing-signature")
  }

  @Test func `A signature with any bit changed is refused before the manifest is read`() throws {
    let scratch = try Scratch()
    _ = try Sample.builder().write(to: scratch("bundle"))
    try Bundle.sign(scratch("bundle"), with: SigningKey())
    let path = try #require(try Bundle.open(folder: scratch("bundle")).signatures.first?.path)
    let good = try scratch.bytes("bundle/\(path)")
    try scratch.file("bundle/manifest.json", Array("this is not even JSON".utf8))
    for bit in 0..<8 * good.count {
      var changed = good
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      try scratch.file("bundle/\(path)", changed)
      #expect(code { _ = try Bundle.open(folder: scratch("bundle")) } == "bundle/bad-signature", "bit \(bit)")
    }
  }

  @Test func `A signature of another bundle, under another name or of another length is refused`() throws {
    let (scratch, key) = (try Scratch(), try SigningKey())
    _ = try Sample.builder().write(to: scratch("bundle"))
    var builder = try Sample.builder()
    builder.card = "# Another\n"
    _ = try builder.write(to: scratch("other"))
    try Bundle.sign(scratch("other"), with: key)
    let path = BundleSignature.path(of: key.publicKey)
    let foreign = try scratch.bytes("other/\(path)")
    try Bundle.sign(scratch("bundle"), with: key)
    let own = try scratch.bytes("bundle/\(path)")
    let elsewhere = BundleSignature.path(of: try SigningKey().publicKey)
    let wrong: [(String, [UInt8])] = [
      (path, foreign), (path, own + [0]), (path, Array(own.dropLast())), (path, []), (elsewhere, own),
      ("signatures/a.sig", own),
      ("signatures/\(key.publicKey.hex.uppercased()).ed25519", own),
    ]
    for (name, bytes) in wrong {
      try FileManager.default.removeItem(atPath: scratch("bundle/signatures"))
      try scratch.file("bundle/\(name)", bytes)
      #expect(
        code { _ = try Bundle.open(folder: scratch("bundle")) } == "bundle/bad-signature",
        "\(name), \(bytes.count) bytes")
    }
  }
}
