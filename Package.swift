// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

/// One line a module, bottom to top, each with what it may import: the picture in README.md, as data.
let layers: [(name: String, imports: [Target.Dependency])] = [
  ("HubManifest", ["CCrypto"]),
  ("HubArchive", ["HubManifest", "CArchive", "CZlib"]),
  ("HubWeights", ["HubManifest", "HubArchive"]),
  ("HubBundle", ["HubManifest", "HubArchive", "HubWeights", "CCrypto"]),
  ("HubForeign", ["HubManifest", "HubArchive", "HubWeights", "HubBundle"]),
  ("HubRegistry", ["HubManifest", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "CSQLite", database]),
  ("HubTokenizers", ["HubManifest"]),
  ("HubTensor", ["HubManifest", "CHubKernels"]),
  ("HubTransformer", ["HubManifest", "HubWeights", "HubTensor"]),
  ("HubAdapters", ["HubManifest", "HubWeights", "HubTensor", "HubTransformer"]),
  ("HubTraining", ["HubTensor"]),
  (
    "Dovetail",
    [
      "HubManifest", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "HubRegistry", "HubTokenizers", "HubTensor",
      "HubTransformer", "HubAdapters",
    ]
  ),
]

let tests: [(name: String, imports: [Target.Dependency])] = [
  ("HubManifestTests", ["HubManifest", "HubTesting"]),
  ("HubArchiveTests", ["HubArchive", "HubManifest", "HubTesting"]),
  ("HubWeightsTests", ["HubWeights", "HubManifest", "HubTesting"]),
  ("HubBundleTests", ["HubBundle", "HubArchive", "HubWeights", "HubManifest", "HubTesting"]),
  ("HubForeignTests", ["HubForeign", "HubBundle", "HubWeights", "HubManifest", "HubTesting"]),
  (
    "HubRegistryTests", ["HubRegistry", "HubBundle", "HubArchive", "HubWeights", "HubManifest", "HubTesting", database]
  ),
  ("HubTokenizersTests", ["HubTokenizers", "HubManifest"]),
  ("HubTensorTests", ["HubTensor"]),
  ("HubTransformerTests", ["HubTesting", "HubTransformer", "HubTensor", "HubWeights", "HubManifest"]),
  ("HubAdaptersTests", ["HubAdapters", "HubTransformer", "HubTensor", "HubWeights", "HubManifest"]),
  ("ParityTests", ["HubManifest", "HubWeights", "HubTensor", "parity-runner"]),
  (
    "DovetailTests",
    [
      "Dovetail", "HubRegistry", "HubBundle", "HubAdapters", "HubTransformer", "HubTensor", "HubWeights", "HubManifest",
      "HubTesting",
    ]
  ),
  ("hubTests", ["hub", "Dovetail", "HubArchive", "HubManifest", "HubTesting"]),
]

let programs: [(name: String, imports: [Target.Dependency])] = [
  (
    "hub",
    [
      "Dovetail", "HubManifest", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "HubAdapters", "HubRegistry",
      "HubTensor", arguments,
    ]
  ),
  ("bench", ["HubManifest", "HubForeign", "HubTensor", "HubTransformer", "HubAdapters", "HubWeights", arguments]),
  (
    "parity-runner",
    ["HubManifest", "HubWeights", "HubForeign", "HubTensor", "HubTransformer", "HubAdapters", "HubTraining"]
  ),
]

/// Small programs that use the library as its users do; each has a folder under `Examples/`.
let examples: [(name: String, imports: [Target.Dependency])] = [
  ("StackAdapters", ["Dovetail"]),
  (
    "CustomMethod",
    [
      "Dovetail", "HubAdapters", "HubBundle", "HubTensor", "HubTokenizers", "HubTraining", "HubTransformer",
      "HubWeights", "HubManifest",
    ]
  ),
]

/// Folders of test targets whose files the tests read from where they stand.
let fixtures = [
  "HubArchiveTests": "Fixtures", "HubWeightsTests": "Fixtures", "HubTokenizersTests": "Fixtures",
  "HubRegistryTests": "Fixtures",
  "ParityTests": "Cases", "HubAdaptersTests": "Independent",
]

/// The loops are compiled with optimisation in debug builds too: unit tests would crawl otherwise. A package that others
/// depend on by version may not ask for that.
let loops: [CSetting] = Context.packageDirectory.contains("/checkouts/") ? [] : [.unsafeFlags(["-O3"])]

var targets: [Target] = [
  .target(name: "CHubKernels", exclude: ["body"], cSettings: loops),
  .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
  .systemLibrary(
    name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
  .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
  .target(name: "HubTesting", dependencies: ["HubManifest"], path: "Tests/HubTesting", swiftSettings: swift),
]
for layer in layers {
  targets.append(.target(name: layer.name, dependencies: layer.imports, swiftSettings: swift))
}
for program in programs {
  targets.append(.executableTarget(name: program.name, dependencies: program.imports, swiftSettings: swift))
}
for example in examples {
  targets.append(
    .executableTarget(
      name: example.name, dependencies: example.imports, path: "Examples/\(example.name)", swiftSettings: swift))
}
// libFuzzer is there only where everything is built for it: Tests/Fuzz/fuzz.py does.
if Context.environment["DOVETAIL_FUZZ"] != nil {
  targets.append(.systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"))
  targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CLibFuzzer", "Dovetail", "HubArchive", "HubBundle", "HubForeign", "HubManifest", "HubRegistry",
        "HubTokenizers", "HubTransformer", "HubWeights",
      ],
      path: "Tests/Fuzz", exclude: ["CLibFuzzer", "Corpus", "fuzz.py"], swiftSettings: swift))
}
for test in tests {
  let excluded = fixtures[test.name].map { [$0] } ?? []
  targets.append(.testTarget(name: test.name, dependencies: test.imports, exclude: excluded, swiftSettings: swift))
}

let package = Package(
  name: "Dovetail",
  products: [
    .library(name: "Dovetail", targets: layers.map(\.name)),
    .executable(name: "hub", targets: ["hub"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6]
)
