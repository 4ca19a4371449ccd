import HubWords

/// Runs `body` once to warm up, then until `seconds` are over, three times at least; the seconds of each, sorted.
func measure(seconds: Double, _ body: () throws -> Void) rethrows -> [Double] {
  let clock = ContinuousClock()
  try body()
  var times: [Double] = []
  let start = clock.now
  while times.count < 3 || clock.now - start < .seconds(seconds) { times.append(try clock.measure(body) / .seconds(1)) }
  return times.sorted()
}

/// A number with four digits after the point.
func rounded(_ value: Double) -> JSON { .number((value * 10_000).rounded() / 10_000) }
