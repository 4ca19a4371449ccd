public import HubWords

/// What an archive may hold. A caller raises a limit; no input can.
public struct ArchiveLimits: Sendable {
  /// Bytes of the archive file itself.
  public var archiveBytes = InputLimits.archiveBytes
  /// Bytes that may come out of it, all entries together.
  public var unpackedBytes = InputLimits.unpackedBytes
  /// Bytes out for each byte in, counted once ``ratioFloor`` bytes came out.
  public var ratio = InputLimits.ratio
  /// Bytes that may come out before the ratio is looked at, so that small and dull files pass.
  public var ratioFloor = InputLimits.ratioFloor
  /// Files and folders.
  public var entries = InputLimits.entries
  /// Bytes of an entry's whole name, in UTF-8.
  public var nameBytes = InputLimits.nameBytes
  /// Bytes of one component of a name, in UTF-8.
  public var componentBytes = InputLimits.componentBytes
  /// Components of a name.
  public var depth = InputLimits.depth

  public init() {}
}

extension Failure.Code {
  /// An archive is larger, deeper or holds more than ``ArchiveLimits`` allow.
  public static let excessiveArchive = Self("archive/limit", .badData)
}

/// Counts the bytes that came out of one archive, and refuses before they are used.
final class Budget {
  private let limits: ArchiveLimits
  private let archiveBytes: Int
  private var spent = 0

  init(_ limits: ArchiveLimits, archiveBytes: Int) throws {
    guard archiveBytes <= limits.archiveBytes else {
      throw Failure(
        .excessiveArchive, "the archive has \(archiveBytes) bytes, more than the \(limits.archiveBytes) allowed")
    }
    self.limits = limits
    self.archiveBytes = archiveBytes
  }

  func spend(_ count: Int) throws {
    let (sum, overflow) = spent.addingReportingOverflow(count)
    spent = overflow ? .max : sum
    guard spent <= limits.unpackedBytes else {
      throw Failure(.excessiveArchive, "the archive unpacks to more than \(limits.unpackedBytes) bytes")
    }
    guard spent <= limits.ratioFloor || spent / max(limits.ratio, 1) <= archiveBytes else {
      throw Failure(.excessiveArchive, "the archive unpacks to more than \(limits.ratio) times its size")
    }
  }
}

/// The limits of archives.
extension InputLimits {
  /// Bytes of an archive.
  public static let archiveBytes = 2 << 30
  /// Bytes that may come out of an archive, all entries together.
  public static let unpackedBytes = 2 << 30
  /// Bytes that may come out for each byte that goes in.
  public static let ratio = 100
  /// Bytes that may come out before ``ratio`` counts.
  public static let ratioFloor = 16 << 20
  /// Bytes that are read of an archive before its layout has been checked.
  public static let uncheckedBytes = 64 << 20
  /// Files and folders in an archive.
  public static let entries = 4096
  /// Bytes of an entry's whole name, in UTF-8.
  public static let nameBytes = 1024
  /// Bytes of one component of a name, in UTF-8.
  public static let componentBytes = 255
  /// Components of a name.
  public static let depth = 8
  /// What `zstd -19` asks for.
  public static let zstdWindow = 8 << 20

  /// The limits of archives, as `hub limits` prints them.
  public static let archives: [InputLimit] = [
    InputLimit("archive: the file", archiveBytes, .bytes),
    InputLimit("archive: what comes out of it", unpackedBytes, .bytes),
    InputLimit("archive: bytes out for each byte in", ratio, .count),
    InputLimit("archive: what may come out before that counts", ratioFloor, .bytes),
    InputLimit("archive: what is written before all of it was checked", uncheckedBytes, .bytes),
    InputLimit("archive: entries", entries, .count),
    InputLimit("archive: a name", nameBytes, .bytes),
    InputLimit("archive: a component of a name", componentBytes, .bytes),
    InputLimit("archive: components of a name", depth, .count),
    InputLimit("archive: window of zstd", zstdWindow, .bytes),
  ]
}
