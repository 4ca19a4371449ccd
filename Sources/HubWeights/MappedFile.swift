package import HubArchive
import HubWords

import Glibc

/// A regular file, mapped for reading for as long as this object lives, or a copy of one.
///
/// Links are followed: the folders of models that people keep are made of them. If somebody else cuts a file short
/// while it is mapped, the system ends the process that reads past the new end with SIGBUS; a library does not take
/// signals away from the program that uses it, `hub` says what happened.
public final class MappedFile: Sendable {
  /// Where the file was when it was opened.
  public let path: String
  /// Bytes of the file when it was opened.
  public let count: Int
  /// Never written and unmapped in `deinit` only, which is what makes it safe to share.
  private nonisolated(unsafe) let base: UnsafeRawPointer?

  /// - Throws: ``Failure`` with codes `file/...`.
  public convenience init(_ path: String) throws {
    try self.init(OpenFile(reading: path), path: path)
  }

  /// Maps a file that is open: what was examined through this descriptor is what is mapped.
  package init(_ file: OpenFile, path: String) throws {
    self.path = path
    count = try file.size()
    base = try UnsafeRawPointer(Self.memory(count, PROT_READ, MAP_PRIVATE, file.descriptor, path))
  }

  /// Reads a file that is open into memory of its own: whatever becomes of the file, these bytes stay.
  package init(copying file: OpenFile, path: String) throws {
    self.path = path
    count = try file.size()
    let memory = try Self.memory(count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, path)
    base = UnsafeRawPointer(memory)
    guard try file.read(into: UnsafeMutableRawBufferPointer(start: memory, count: count), at: 0) == count else {
      throw Failure(.unreadableFile, "the file was cut short while it was read", at: path, hint: "try again")
    }
    if let memory { mprotect(memory, count, PROT_READ) }
  }

  /// `nil` for no bytes, which the system does not map.
  private static func memory(
    _ count: Int, _ protection: Int32, _ flags: Int32, _ descriptor: Int32, _ path: String
  ) throws -> UnsafeMutableRawPointer? {
    guard count > 0 else { return nil }
    guard let address = mmap(nil, count, protection, flags, descriptor, 0), address != MAP_FAILED else {
      throw Failure.system(.unreadableFile, "map the file", at: path)
    }
    return address
  }

  deinit {
    if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
  }

  /// All bytes, valid during the call.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withBytes(0..<count, body)
  }

  /// The bytes of a range, valid during the call.
  ///
  /// - Precondition: the range lies within `0..<count`; ranges that come from a file are checked by its reader.
  public func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range outside of the mapped file")
    return try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(start: base.map { $0 + range.lowerBound }, count: range.count))
    }
  }
}

/// Some bytes of a mapped file or of memory. Slices share what they are slices of.
struct ByteRegion: Sendable {
  private enum Storage: Sendable {
    case mapped(MappedFile)
    case owned([UInt8])
    case borrowed(Borrowed)
  }

  /// Memory that somebody else keeps alive. It is never written, which is what makes it safe to share.
  private final class Borrowed: Sendable {
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
    private let owner: any AnyObject & Sendable

    init(_ bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
      self.bytes = bytes
      self.owner = owner
    }
  }

  private let storage: Storage
  private let range: Range<Int>

  init(_ file: MappedFile) {
    storage = .mapped(file)
    range = 0..<file.count
  }

  init(_ bytes: [UInt8]) {
    storage = .owned(bytes)
    range = 0..<bytes.count
  }

  init(borrowing bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
    storage = .borrowed(Borrowed(bytes, owner: owner))
    range = 0..<bytes.count
  }

  private init(_ storage: Storage, _ range: Range<Int>) {
    self.storage = storage
    self.range = range
  }

  var count: Int { range.count }

  /// What keeps the bytes where they are; `nil` for bytes of an array.
  var owner: (any AnyObject & Sendable)? {
    switch storage {
    case .mapped(let file): file
    case .borrowed(let memory): memory
    case .owned: nil
    }
  }

  /// A part of the region, `nil` if it does not lie within it.
  func slice(at offset: Int, count: Int) -> ByteRegion? {
    guard offset >= 0, count >= 0, offset <= range.count, count <= range.count - offset else { return nil }
    let start = range.lowerBound + offset
    return ByteRegion(storage, start..<start + count)
  }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch storage {
    case .mapped(let file): return try file.withBytes(range, body)
    case .owned(let bytes): return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .borrowed(let memory):
      return try withExtendedLifetime(memory) { try body(UnsafeRawBufferPointer(rebasing: memory.bytes[range])) }
    }
  }

  func array() -> [UInt8] { withBytes { Array($0) } }
}
