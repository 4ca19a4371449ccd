// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

/// One line a module, bottom to top, each with what it may import: the picture in README.md, as data.
let layers: [(name: String, imports: [Target.Dependency])] = [
  ("HubManifest", [crypto]),
  ("HubTensor", ["HubManifest", "CHubKernels"]),
  ("HubArchive", ["HubManifest", "CArchive", "CZlib"]),
  ("HubWeights", ["HubManifest", "HubArchive"]),
  ("HubTokenizers", ["HubManifest"]),
]

let tests: [(name: String, imports: [Target.Dependency])] = [
  ("HubManifestTests", ["HubManifest"]),
  ("HubTensorTests", ["HubTensor"]),
  ("HubArchiveTests", ["HubArchive", "HubManifest", "HubTesting"]),
  ("HubWeightsTests", ["HubWeights", "HubManifest", "HubTesting"]),
  ("HubTokenizersTests", ["HubTokenizers", "HubManifest"]),
]

/// Test targets with a folder `Fixtures`, which is no source.
let fixtures: Set = ["HubWeightsTests"]
/// Files of tests that the tests read from where they stand.
let fixtures = ["HubTokenizersTests": ["Fixtures"]]

let package = Package(
  name: "Dovetail",
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: layers.map { .target(name: $0.name, dependencies: $0.imports, swiftSettings: swift) }
    + tests.map { .testTarget(name: $0.name, dependencies: $0.imports, exclude: fixtures.contains($0.name) ? ["Fixtures"] : [], swiftSettings: swift) }
    + tests.map { .testTarget(name: $0.name, dependencies: $0.imports, exclude: fixtures[$0.name] ?? [], swiftSettings: swift) }
    + [
      // The loops are compiled with optimisation in debug builds too: unit tests would crawl otherwise.
      .target(name: "CHubKernels", exclude: ["body"], cSettings: [.unsafeFlags(["-O3"])]),
      .target(name: "HubTesting", dependencies: ["HubManifest"], path: "Tests/HubTesting", swiftSettings: swift),
      .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
      .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    ],
  swiftLanguageModes: [.v6]
)
