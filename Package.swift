// swift-tools-version: 6.2
import PackageDescription

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let database = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

/// One line a module, bottom to top, each with what it may import: the picture in README.md, as data.
let layers: [(name: String, imports: [Target.Dependency])] = [
  ("HubWords", ["CCrypto"]),
  ("HubModels", ["HubWords"]),
  ("HubArchive", ["HubWords", "CArchive", "CZlib"]),
  ("HubWeights", ["HubWords", "HubArchive"]),
  ("HubBundle", ["HubWords", "HubArchive", "HubWeights", "CCrypto"]),
  ("HubForeign", ["HubWords", "HubModels", "HubArchive", "HubWeights", "HubBundle"]),
  ("HubRegistry", ["HubWords", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "CSQLite", database]),
  ("HubTokenizers", ["HubWords", "HubModels", "HubArchive", "HubWeights"]),
  ("HubTensor", ["HubWords", "CHubKernels"]),
  ("HubTransformer", ["HubWords", "HubModels", "HubWeights", "HubTensor"]),
  ("HubAdapters", ["HubWords", "HubModels", "HubWeights", "HubTensor", "HubTransformer"]),
  (
    "HubGeneration",
    ["HubWords", "HubTokenizers", "HubTensor", "HubTransformer", "HubAdapters"]
  ),
  (
    "HubTraining",
    [
      "HubWords", "HubArchive", "HubModels", "HubWeights", "HubTokenizers", "HubTensor", "HubTransformer",
      "HubAdapters",
    ]
  ),
  (
    "Dovetail",
    [
      "HubWords", "HubModels", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "HubRegistry", "HubTokenizers",
      "HubTensor", "HubTransformer", "HubAdapters", "HubTraining", "HubGeneration", yaml,
    ]
  ),
]

let tests: [(name: String, imports: [Target.Dependency])] = [
  ("HubWordsTests", ["HubWords", "HubTesting"]),
  ("HubArchiveTests", ["HubArchive", "HubWords", "HubTesting"]),
  ("HubWeightsTests", ["HubWeights", "HubWords", "HubTesting"]),
  ("HubBundleTests", ["HubBundle", "HubArchive", "HubWeights", "HubWords", "HubTesting"]),
  ("HubForeignTests", ["HubModels", "HubForeign", "HubBundle", "HubWeights", "HubWords", "HubTesting"]),
  (
    "HubRegistryTests",
    ["HubModels", "HubRegistry", "HubBundle", "HubArchive", "HubWeights", "HubWords", "HubTesting", database]
  ),
  ("HubTokenizersTests", ["HubModels", "HubTokenizers", "HubWords", "HubTesting"]),
  ("HubGenerationTests", ["HubGeneration", "HubTensor", "HubTokenizers", "HubWords"]),
  ("HubTensorTests", ["HubTensor"]),
  ("HubTransformerTests", ["HubModels", "HubTesting", "HubTransformer", "HubTensor", "HubWeights", "HubWords"]),
  (
    "HubAdaptersTests",
    ["HubModels", "HubAdapters", "HubTraining", "HubTransformer", "HubTensor", "HubWeights", "HubWords"]
  ),
  (
    "HubTrainingTests",
    [
      "HubTraining", "HubModels", "HubAdapters", "HubTransformer", "HubTensor", "HubTokenizers", "HubWeights",
      "HubWords",
      "HubTesting",
    ]
  ),
  (
    "ParityTests",
    [
      "HubWords", "HubWeights", "HubTokenizers", "HubTensor", "HubTransformer", "HubAdapters", "HubGeneration",
      "parity-runner",
    ]
  ),
  (
    "DovetailTests",
    [
      "Dovetail", "HubModels", "HubRegistry", "HubBundle", "HubAdapters", "HubTransformer", "HubTensor", "HubWeights",
      "HubWords",
      "HubTesting",
    ]
  ),
  ("hubTests", ["hub", "Dovetail", "HubArchive", "HubWords", "HubTesting"]),
]

let programs: [(name: String, imports: [Target.Dependency])] = [
  (
    "hub",
    [
      "Dovetail", "HubWords", "HubModels", "HubArchive", "HubWeights", "HubBundle", "HubForeign", "HubAdapters",
      "HubRegistry",
      "HubTensor", "HubTraining", "HubGeneration", "HubTokenizers", arguments,
    ]
  ),
  (
    "bench",
    [
      "HubWords", "HubModels", "HubForeign", "HubTensor", "HubTransformer", "HubAdapters", "HubTraining", "HubWeights",
      arguments,
    ]
  ),
  (
    "parity-runner",
    [
      "HubWords", "HubModels", "HubBundle", "HubWeights", "HubForeign", "HubTensor", "HubTransformer", "HubAdapters",
      "HubTraining", "HubGeneration", "HubTokenizers",
    ]
  ),
]

/// Small programs that use the library as its users do; each has a folder under `Examples/`.
let examples: [(name: String, imports: [Target.Dependency])] = [
  ("StackAdapters", ["Dovetail"]),
  (
    "TrainAdapter",
    [
      "Dovetail", "HubAdapters", "HubModels", "HubTensor", "HubTokenizers", "HubTraining", "HubTransformer", "HubWords",
    ]
  ),
  (
    "CustomMethod",
    [
      "Dovetail", "HubAdapters", "HubBundle", "HubModels", "HubTensor", "HubTokenizers", "HubTraining",
      "HubTransformer",
      "HubWeights", "HubWords",
    ]
  ),
]

/// Folders of test targets whose files the tests read from where they stand.
let fixtures = [
  "HubArchiveTests": "Fixtures", "HubWeightsTests": "Fixtures", "HubTokenizersTests": "Fixtures",
  "HubGenerationTests": "Fixtures",
  "HubRegistryTests": "Fixtures",
  "ParityTests": "Cases", "HubAdaptersTests": "Independent",
]

/// The loops are compiled with optimisation in debug builds too: unit tests would crawl otherwise. Packages with tools
/// version 6.2 may ask for that, and others can still depend on them by version.
let loops: [CSetting] = [.unsafeFlags(["-O3"])]

var targets: [Target] = [
  .target(name: "CHubKernels", exclude: ["body"], cSettings: loops),
  .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(
    name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
  .target(name: "HubTesting", dependencies: ["HubWords"], path: "Tests/HubTesting", swiftSettings: swift),
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
// The parsers that Tests/Fuzz/fuzz.py feeds with mutated input.
targets.append(
  .target(
    name: "FuzzParsers",
    dependencies: [
      "Dovetail", "HubArchive", "HubBundle", "HubForeign", "HubWords", "HubRegistry", "HubTokenizers", "HubTransformer",
      "HubGeneration", "HubWeights",
    ],
    path: "Tests/Fuzz/Parsers", swiftSettings: swift))
targets.append(
  .executableTarget(
    name: "mutations", dependencies: ["FuzzParsers", "HubTransformer"], path: "Tests/Fuzz/Mutations",
    swiftSettings: swift))
// libFuzzer is there only where everything is built for it: the long form does.
if Context.environment["DOVETAIL_FUZZ"] != nil {
  targets.append(.systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"))
  targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["CLibFuzzer", "FuzzParsers", "HubTransformer"], path: "Tests/Fuzz/LibFuzzer",
      swiftSettings: swift))
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
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6]
)
