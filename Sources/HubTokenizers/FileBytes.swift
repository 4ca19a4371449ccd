import Glibc
public import HubWords

extension Failure.Code {
  /// No file of a tokenizer where it was looked for.
  public static let missingTokenizer = Self("tokenizer/missing", .notFound)
  /// A file of a tokenizer cannot be read.
  public static let unreadableTokenizer = Self("tokenizer/unreadable", .inputOutput)
  /// A file of a tokenizer is larger than any tokenizer needs.
  public static let excessiveTokenizer = Self("tokenizer/limit", .badData)
}

/// Small files, read as a whole.
enum FileBytes {
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The bytes of a regular file.
  static func read(_ path: String) throws -> [UInt8] {
    // O_NONBLOCK: opening a pipe would wait for its writer before it could be refused.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno == ENOENT ? Failure.Code.missingTokenizer : .unreadableTokenizer
      throw Failure(code, "cannot open the file: \(String(cString: strerror(errno)))", at: path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(.unreadableTokenizer, "not a regular file", at: path)
    }
    guard status.st_size <= InputLimits.tokenizerBytes else {
      throw Failure(
        .excessiveTokenizer,
        "the file has \(status.st_size) bytes, more than the \(InputLimits.tokenizerBytes) allowed", at: path)
    }
    let bytes = try read(descriptor, count: Int(status.st_size), path)
    try locating(path) { try Placeholder.check(bytes) }
    return bytes
  }

  /// Up to `count` bytes; fewer if the file has shrunk meanwhile.
  private static func read(_ descriptor: Int32, count: Int, _ path: String) throws -> [UInt8] {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count, let start = buffer.baseAddress {
        let got = Glibc.read(descriptor, start + filled, count - filled)
        if got < 0 && errno == EINTR { continue }
        failed = got < 0
        if got <= 0 { break }
        filled += got
      }
    }
    guard !failed else { throw Failure(.unreadableTokenizer, "cannot read the file", at: path) }
    return bytes
  }
}
