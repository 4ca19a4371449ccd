import HubWords

/// How `hub` ends, in the numbers of sysexits.h.
enum ExitStatus: Int32 {
  case done = 0
  /// The command worked, and the answer is no.
  case no = 1
  case usage = 64
  case badData = 65
  case notFound = 66
  case internalError = 70
  case cannotCreate = 73
  case inputOutput = 74
  case busy = 75
  case refused = 77
  case configuration = 78

  init(_ category: Failure.Category) {
    self =
      switch category {
      case .usage: .usage
      case .badData: .badData
      case .notFound: .notFound
      case .cannotCreate: .cannotCreate
      case .inputOutput: .inputOutput
      case .busy: .busy
      case .refused: .refused
      case .configuration: .configuration
      }
  }
}
