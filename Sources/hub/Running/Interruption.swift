import Foundation
import Synchronization

/// Whether somebody asked the program to stop. The first time it ends in order; the second time at once.
enum Interruption {
  private static let asked = Atomic<Bool>(false)

  /// Ends the program with the status of Ctrl-C.
  struct Asked: Error {}

  static var isAsked: Bool { asked.load(ordering: .relaxed) }

  /// Begins to listen for Ctrl-C and SIGTERM.
  static func watch() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interruption.asked.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }
}
