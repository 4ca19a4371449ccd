import Foundation

/// What happens when somebody cuts a file short that is mapped: whoever reads past its new end gets SIGBUS. The program
/// then ends as it does for any other fault of a disk, and not with a dump.
enum CutShort {
  static func endInOrder() {
    signal(SIGBUS) { _ in
      // Only what may be done within a signal: no allocation, no lock.
      let message: StaticString = """
        hub: error: a file was cut short while it was used
          hint: something else writes to an adapter, a base model or the registry; hub verify finds what is damaged

        """
      message.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      _exit(ExitStatus.inputOutput.rawValue)
    }
  }
}
