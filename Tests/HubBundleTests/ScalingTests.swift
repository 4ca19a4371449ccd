import HubArchive
import HubWords
import HubTesting
import HubWeights
import Testing

import Glibc

/// Twice the input costs twice the time, up to the limits: no search, copy or hash in the parsers grows with what was
/// read.
@Suite(.serialized) struct ScalingTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// How many parts the smallest and the largest input have.
    let least: Int, most: Int
    let make: @Sendable (Int) -> [UInt8]
    let parse: @Sendable ([UInt8]) throws -> Void
  }

  private static let shapes: [Shape] = [
    Shape(
      testDescription: "JSON of keys", least: 200, most: 6400,
      make: { Array("{\((0..<$0).map { "\"key\($0)\":1" }.joined(separator: ","))}".utf8) }, parse: json),
    Shape(
      testDescription: "JSON of numbers", least: 400, most: 12_800,
      make: { Array("[\((0..<$0).map { "\($0).5" }.joined(separator: ","))]".utf8) }, parse: json),
    Shape(
      testDescription: "a JSON string of escapes", least: 1000, most: 32_000,
      make: { [0x22] + Array(String(repeating: "\\u00e9", count: $0).utf8) + [0x22] }, parse: json),
    Shape(
      testDescription: "JSON padded with spaces", least: 5000, most: 160_000,
      make: { [UInt8](repeating: 0x20, count: $0) + [0x31] }, parse: json),
    Shape(testDescription: "safetensors", least: 60, most: 1920, make: safetensors) {
      _ = try Safetensors.read($0, path: "file")
    },
    Shape(testDescription: "tensors of a pickle", least: 60, most: 1920, make: pickle) {
      _ = try TorchFile.read($0, path: "file")
    },
    Shape(
      testDescription: "tar entries", least: 40, most: 1280,
      make: { RawTar.bytes((0..<$0).map { RawTar.Entry("folder/f\($0)", [1]) }) }, parse: archive),
    Shape(
      testDescription: "tar bytes", least: 1 << 17, most: 1 << 22,
      make: { RawTar.bytes([RawTar.Entry("file", [UInt8](repeating: 7, count: $0))]) }, parse: archive),
    Shape(testDescription: "zip entries", least: 60, most: 1920, make: zip, parse: archive),
  ]

  private static func json(_ bytes: [UInt8]) throws { _ = try JSON(parsing: bytes) }

  private static func archive(_ bytes: [UInt8]) throws {
    let reader = try ArchiveReader(bytes: bytes)
    while try reader.next() != nil { try reader.forEachPiece { _ in } }
  }

  private static func little(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func safetensors(_ count: Int) -> [UInt8] {
    let header = (0..<count).map { "\"t\($0)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\($0),\($0 + 1)]}" }
      .joined(separator: ",")
    return little(header.utf8.count + 2, 8) + Array("{\(header)}".utf8) + [UInt8](repeating: 0, count: count)
  }

  /// The layout before torch 1.6: a magic number, a protocol, a system, the dictionary, the storages' names, the
  /// storages.
  private static func pickle(_ count: Int) -> [UInt8] {
    func text(_ text: String) -> [UInt8] { [0x58] + little(text.utf8.count, 4) + Array(text.utf8) }
    let start: [UInt8] = [0x80, 2], stop: [UInt8] = [0x2E]
    let magic: [UInt8] = start + [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19] + stop
    let system = start + [0x7D] + text("little_endian") + [0x88, 0x73] + stop
    let storage: [UInt8] =
      [0x28] + text("storage") + Array("ctorch\nByteStorage\n".utf8) + text("0") + text("cpu") + [
        0x4B, 1, 0x4E, 0x74, 0x51,
      ]
    let tensor: [UInt8] =
      Array("ctorch._utils\n_rebuild_tensor_v2\n(".utf8) + storage + [
        0x4B, 0, 0x4B, 1, 0x85, 0x4B, 1, 0x85, 0x89, 0x7D, 0x74, 0x52,
      ]
    let tensors = start + [0x7D] + (0..<count).flatMap { text("t\($0)") + tensor + [0x73] } + stop
    return magic + start + [0x4D, 0xE9, 3] + stop + system + tensors + start + [0x5D] + text("0") + [0x61] + stop
      + little(1, 8) + [0]
  }

  /// Empty files, stored.
  private static func zip(_ count: Int) -> [UInt8] {
    var entries: [UInt8] = [], directory: [UInt8] = []
    for index in 0..<count {
      let name = Array("folder/f\(index)".utf8)
      let common = little(20, 2) + [UInt8](repeating: 0, count: 20) + little(name.count, 2) + [0, 0]
      directory +=
        [0x50, 0x4B, 1, 2] + little(20, 2) + common + [UInt8](repeating: 0, count: 10) + little(entries.count, 4) + name
      entries += [0x50, 0x4B, 3, 4] + common + name
    }
    return entries + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + little(count, 2) + little(count, 2)
      + little(directory.count, 4) + little(entries.count, 4) + [0, 0]
  }

  /// Processor time of this thread in the best of three, which no other process disturbs much.
  private func seconds(_ body: () throws -> Void) throws -> Double {
    try (0..<3).map { _ in
      var (start, end) = (timespec(), timespec())
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
      try body()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
      return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
    }.min() ?? 0
  }

  /// 32 times the input; quadratic costs would be 1024 times the time.
  @Test(arguments: shapes) func timeIsLinear(_ shape: Shape) throws {
    let (small, large) = (shape.make(shape.least), shape.make(shape.most))
    let ratio = try seconds { try shape.parse(large) } / seconds { try shape.parse(small) }
    print("\(shape.testDescription): \(large.count / small.count) times the bytes, \(Int(ratio)) times the time")
    #expect(ratio < 4 * 32)
  }
}
