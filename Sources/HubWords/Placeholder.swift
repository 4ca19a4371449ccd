extension Failure.Code {
  /// A file holds something else in place of its contents: a pointer of Git LFS, a web page.
  public static let placeholder = Self("file/placeholder", .badData)
}

/// What downloads leave behind where a file should be.
public enum Placeholder {
  /// Bytes of a file that are enough to tell.
  public static let length = 512

  /// - Parameter start: the first ``length`` bytes of a file, or all of it
  /// - Throws: ``Failure`` with code ``Failure/Code/placeholder`` that says what the file is instead.
  public static func check(_ start: some Sequence<UInt8>) throws {
    let blank: Set<UInt8> = [0x09, 0x0A, 0x0D, 0x20, 0xEF, 0xBB, 0xBF]
    let text = String(decoding: Array(start.prefix(length)).drop(while: { blank.contains($0) }), as: UTF8.self)
      .lowercased()
    if text.hasPrefix("version https://git-lfs.github.com/spec/")
      || text.hasPrefix("version https://hawser.github.com/spec/")
    {
      throw Failure(
        .placeholder, "the file is a pointer of Git LFS, not the file itself",
        hint: "git lfs install && git lfs pull in its folder, or download the file itself")
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<head") || text.hasPrefix("<body")
    {
      throw Failure(
        .placeholder, "the file is a web page (HTML), not the file itself",
        hint: "download the file itself: on Hugging Face the link has /resolve/ where the page has /blob/")
    }
    if text.hasPrefix("<?xml") {
      throw Failure(
        .placeholder, "the file is XML, perhaps a server's reply instead of the file", hint: "download it again")
    }
    if text.hasPrefix("/annex/objects/") || text.contains(".git/annex/objects/") {
      throw Failure(.placeholder, "the file is a pointer of git-annex, not the file itself", hint: "git annex get FILE")
    }
    let replies = [
      "entry not found", "invalid username or password", "repository not found", "404: not found", "access to model ",
    ]
    if let reply = replies.first(where: text.hasPrefix) {
      throw Failure(
        .placeholder, "the file holds a server's reply instead of its content: \(reply)", hint: "download it again")
    }
  }
}
