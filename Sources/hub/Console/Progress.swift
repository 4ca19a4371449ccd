import Foundation
import Synchronization

/// Tells who waits at a terminal that something goes on: after a second, a line on standard error says what and for how
/// long, and goes away when there is anything else to read.
final class Progress: Sendable {
  static let shared = Progress()

  private struct State {
    var what = ""
    var isShown = false
  }

  private let state = Mutex(State())
  private let isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"

  /// Begins to watch a command.
  func start(_ what: String) {
    update(what)
    guard isTerminal else { return }
    let began = Date()
    Thread.detachNewThread {
      while true {
        Thread.sleep(forTimeInterval: 1)
        self.show(seconds: Int(Date().timeIntervalSince(began)))
      }
    }
  }

  /// Says what goes on by now.
  func update(_ what: String) { state.withLock { $0.what = what } }

  /// Takes the line away, before something else is written.
  func clear() {
    state.withLock { state in
      if state.isShown { write("\r\u{1B}[K") }
      state.isShown = false
    }
  }

  private func show(seconds: Int) {
    state.withLock { state in
      write("\r\u{1B}[Khub: \(state.what) \u{2026} \(seconds) s")
      state.isShown = true
    }
  }

  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
