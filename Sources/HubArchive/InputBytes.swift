public import HubWords

public import Glibc

extension Failure.Code {
  /// The input is compressed or encoded in a way that is not read.
  public static let unreadableInput = Self("input/format", .badData)
}

/// The bytes of a file, a pipe or standard input, as they come; out of gzip where they are in it.
///
/// What else programs write in place of text is told by its first bytes, and refused by name.
public final class InputBytes {
  private let stream: any ByteStream
  private let path: String

  /// Opens a file.
  ///
  /// - Throws: ``Failure`` at the path: it is not there, a folder, or in a format that is not read.
  public convenience init(path: String) throws {
    try self.init(try locating(path) { try DescriptorStream(path) }, path: path)
  }

  /// Reads standard input, or another descriptor, which stays open.
  ///
  /// - Throws: as ``init(path:)``.
  public convenience init(descriptor: Int32 = STDIN_FILENO, name: String = "standard input") throws {
    try self.init(try locating(name) { try DescriptorStream(descriptor, isOurs: false) }, path: name)
  }

  private init(_ source: DescriptorStream, path: String) throws {
    self.path = path
    stream = try locating(path) {
      let start = try source.peek(4)
      if start.starts(with: [0x1F, 0x8B]) { return try GzipStream(source, budget: nil) }
      if let format = Self.formats.first(where: { start.starts(with: $0.magic) }) {
        throw Failure(.unreadableInput, "the input is \(format.name), not lines of UTF-8", hint: format.remedy)
      }
      return source
    }
  }

  /// The next bytes, as many as there are; empty at the end.
  public func next() throws -> UnsafeRawBufferPointer { try locating(path) { try stream.next() } }

  /// Formats by what they begin with, and how to make text of them. The marks of UTF-32 begin with those of UTF-16.
  private static let formats: [(magic: [UInt8], name: String, remedy: String)] = [
    ([0xFF, 0xFE, 0, 0], "text in UTF-32", "iconv -f UTF-32 -t UTF-8"),
    ([0, 0, 0xFE, 0xFF], "text in UTF-32", "iconv -f UTF-32 -t UTF-8"),
    ([0xFF, 0xFE], "text in UTF-16", "iconv -f UTF-16 -t UTF-8"),
    ([0xFE, 0xFF], "text in UTF-16", "iconv -f UTF-16 -t UTF-8"),
    ([0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd", "zstd -dc FILE | hub run …"),
    ([0xFD, 0x37, 0x7A, 0x58], "compressed with xz", "xz -dc FILE | hub run …"),
    ([0x42, 0x5A, 0x68], "compressed with bzip2", "bzip2 -dc FILE | hub run …"),
    ([0x50, 0x4B, 3, 4], "a zip file", "unzip -p FILE | hub run …"),
    ([0x50, 0x41, 0x52, 0x31], "a Parquet table", "write its texts to a file, one a line"),
    ([0x25, 0x50, 0x44, 0x46], "a PDF document", "pdftotext FILE - | hub run …"),
  ]
}

/// What a descriptor gives, whether or not it can go back or waits by itself.
private final class DescriptorStream: ByteStream {
  private let descriptor: Int32
  private let isOurs: Bool
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
  /// Bytes at the beginning of the buffer that were read and not handed out.
  private var peeked = 0

  convenience init(_ path: String) throws { try self.init(open(path, O_RDONLY | O_CLOEXEC), isOurs: true) }

  init(_ descriptor: Int32, isOurs: Bool) throws {
    (self.descriptor, self.isOurs) = (descriptor, isOurs)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw Failure.system(.unreadableFile, "open the file", at: nil)
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw Failure(
        .unreadableFile, "this is a folder, not a file of lines",
        hint: "name one of its files, or give them all: cat DIR/* | hub run …")
    }
  }

  deinit {
    if isOurs, descriptor >= 0 { close(descriptor) }
    buffer.deallocate()
  }

  var count: Int? { nil }
  func seek(to offset: Int) -> Bool { false }

  func next() throws -> UnsafeRawBufferPointer {
    let count = peeked > 0 ? peeked : try read(at: 0)
    peeked = 0
    return UnsafeRawBufferPointer(rebasing: buffer[..<count])
  }

  /// The first bytes, which ``next()`` gives again; fewer at the end, or where a line ended before.
  func peek(_ count: Int) throws -> [UInt8] {
    while peeked < count, !buffer[..<peeked].contains(UInt8(ascii: "\n")) {
      let more = try read(at: peeked)
      if more == 0 { break }
      peeked += more
    }
    return Array(buffer[..<min(count, peeked)])
  }

  private func read(at offset: Int) throws -> Int {
    let free = UnsafeMutableRawBufferPointer(rebasing: buffer[offset...])
    while true {
      let result = Glibc.read(descriptor, free.baseAddress, free.count)
      if result >= 0 { return result }
      switch errno {
      case EINTR: continue
      case EAGAIN, EWOULDBLOCK:
        // Somebody set the pipe not to wait: we wait.
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = withUnsafeMutablePointer(to: &poll) { waitForInput($0) }
      default: throw Failure.system(.unreadableFile, "read", at: nil)
      }
    }
  }
}

private func waitForInput(_ descriptor: UnsafeMutablePointer<pollfd>) -> Int32 { poll(descriptor, 1, -1) }
