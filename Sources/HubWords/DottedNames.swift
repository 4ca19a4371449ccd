/// Names of modules and tensors. They are cut by bytes: looking for characters is far slower.
extension String {
  /// What stands between the dots.
  package var dotted: [Substring] {
    utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Substring.init)
  }

  /// What follows `prefix`; `nil` if the text does not begin with it.
  package func after(_ prefix: String) -> String? {
    utf8.starts(with: prefix.utf8) ? String(Substring(utf8.dropFirst(prefix.utf8.count))) : nil
  }
}
