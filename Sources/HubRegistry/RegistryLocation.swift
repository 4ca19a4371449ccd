public import Foundation

extension Registry {
  /// Where the registry is: `path`, else `HUB_REGISTRY`, else `$XDG_DATA_HOME/dovetail`, else
  /// `~/.local/share/dovetail`.
  public static func location(
    _ path: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String {
    if let explicit = path ?? environment["HUB_REGISTRY"], !explicit.isEmpty { return absolute(explicit) }
    // The XDG specification: relative paths in its variables are ignored.
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return absolute(data + "/dovetail") }
    return absolute((environment["HOME"] ?? NSHomeDirectory()) + "/.local/share/dovetail")
  }

  /// Independent of the working directory, without `.` and `..`, links left as they are.
  static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
