import HubWords

/// Something that reads what strangers wrote.
package struct Parser: Sendable {
  package let name: String
  /// Whether it takes a folder, and not a file.
  package let isFolder: Bool
  /// What its format is made of, which mutations put in.
  package let words: [String]
  /// Makes lengths and checksums right again, so that mutations get through to what comes after them.
  package let repair: @Sendable (Input) -> Input
  let parse: @Sendable (_ input: Input, _ folder: String) throws -> Void

  init(
    _ name: String, words: [String], repair: @escaping @Sendable ([UInt8]) -> [UInt8] = { $0 },
    file: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    (self.name, self.words, isFolder) = (name, words, false)
    self.repair = { input in
      var input = input
      input.files[0].bytes = repair(input.files[0].bytes)
      return input
    }
    parse = { input, _ in try file(input.files[0].bytes) }
  }

  init(
    _ name: String, words: [String], repair: @escaping @Sendable (Input) -> Input,
    folder: @escaping @Sendable (String) throws -> Void
  ) {
    (self.name, self.words, self.repair, isFolder) = (name, words, repair, true)
    parse = { _, path in try folder(path) }
  }

  /// Parses an input; anything thrown that is not a typed failure ends the process.
  ///
  /// - Parameters:
  ///   - folder: where an input that is a folder is written, in the place of another
  /// - Returns: whether the bytes are an input at all
  package func feed(_ bytes: [UInt8], in folder: String) -> Bool {
    guard let input = Input(bytes, for: self), !isFolder || (try? input.write(to: folder)) != nil else { return false }
    do {
      try parse(input, folder)
    } catch is Failure {
    } catch {
      fatalError("\(name): \(error)")
    }
    return true
  }
}

/// What a parser did that none may do.
struct Fault: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
