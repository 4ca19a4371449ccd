import Synchronization

/// Values that are made when they are first asked for, once for each key. Whoever asks for one that is being made waits
/// for it; the values of other keys can be made meanwhile.
final class OncePerKey<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private final class Slot: Sendable {
    let value = Mutex<Value?>(nil)
  }

  private let slots = Mutex<[Key: Slot]>([:])

  /// The value of a key; `make` is called if nobody has asked for it before.
  func value(of key: Key, _ make: () -> Value) -> Value {
    let slot = slots.withLock { slots in
      if let known = slots[key] { return known }
      let fresh = Slot()
      slots[key] = fresh
      return fresh
    }
    return slot.value.withLock { value in
      if let value { return value }
      let made = make()
      value = made
      return made
    }
  }
}
