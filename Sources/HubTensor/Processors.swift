import Foundation

/// The processors that this process may use.
enum Processors {
  /// Physical cores among them: two threads of one core share its multipliers, and gain nothing here. All of them where
  /// the system does not tell.
  static var physicalCores: Int {
    let all = ProcessInfo.processInfo.activeProcessorCount
    guard let allowed else { return all }
    let cores = Set(
      allowed.map { processor in
        ["physical_package_id", "core_id"].map {
          text(of: "/sys/devices/system/cpu/cpu\(processor)/topology/\($0)") ?? "\(processor)"
        }
      })
    return max(1, min(all, cores.count))
  }

  /// Their numbers, from a line such as `Cpus_allowed_list: 0-3,6`; `nil` where there is none.
  private static var allowed: [Int]? {
    let lines = text(of: "/proc/self/status")?.split(separator: "\n")
    guard let line = lines?.first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else { return nil }
    return list(String(line.split(separator: ":")[1]))
  }

  /// Numbers such as `0-3,6`.
  static func list(_ text: String?) -> [Int]? {
    text?.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else { return [] }
      return Array(first...last)
    }
  }

  private static func text(of path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
