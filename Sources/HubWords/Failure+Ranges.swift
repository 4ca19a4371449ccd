extension Failure {
  /// A number that is out of its range.
  ///
  /// - Parameter subject: where it stands
  public static func outside(_ range: ClosedRange<Int>, _ value: Int, _ code: Code, at subject: String?) -> Failure {
    Failure(code, "\(value) is not between \(range.lowerBound) and \(range.upperBound)", at: subject)
  }
}
