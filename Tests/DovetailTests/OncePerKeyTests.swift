import Foundation
import Synchronization
import Testing

@testable import Dovetail

@Suite struct OncePerKeyTests {
  @Test func `a value is made once, however many ask for it at the same time`() {
    let values = OncePerKey<String, Int>(), made = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 64) { index in
      let value = values.value(of: "\(index % 2)") {
        usleep(1000)
        return made.add(1, ordering: .relaxed).newValue
      }
      #expect(value == 1 || value == 2)
    }
    #expect(made.load(ordering: .relaxed) == 2)
  }

  /// The slow value waits for the quick one: if that waited for the slow one, the wait would time out.
  @Test func `while one value is made, another can be`() {
    let values = OncePerKey<String, Bool>(), other = DispatchSemaphore(value: 0), began = DispatchSemaphore(value: 0)
    let slow = Mutex<Bool?>(nil), done = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      let result = values.value(of: "slow") {
        began.signal()
        return other.wait(timeout: .now() + 60) == .success
      }
      slow.withLock { $0 = result }
      done.signal()
    }
    began.wait()
    #expect(values.value(of: "quick") { true })
    other.signal()
    done.wait()
    #expect(slow.withLock { $0 } == true)
  }
}
