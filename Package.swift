// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    // Our own modules are optimised even in a debug build, whose dependencies compile in half the
    // time of a release build: one configuration serves the tests and the demo.
    .unsafeFlags(["-O"], .when(configuration: .debug)),
]

let package = Package(
    name: "stopover",
    products: [
        .executable(name: "stopover", targets: ["stopover"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // C libraries of Debian, by module map only.
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),

        // glibc's own settings of its allocator.
        .systemLibrary(name: "CMalloc"),

        // The data of `stopover demo`, embedded by the compiler.
        .target(
            name: "CDemoData", exclude: ["debian-packages.jsonl", "debian-packages.f16"]),

        // SQLite on a disk that fails: for StopoverTesting alone.
        .target(name: "CFaultVFS", linkerSettings: [.linkedLibrary("sqlite3")]),

        // The engine: no network, no protobuf, no argument parsing.
        .target(
            name: "StopoverCore",
            dependencies: [
                "CMalloc", "CZstd", "CXXHash",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        // Generated from Sources/MilvusProto/milvus.proto by regenerate.sh; never edited.
        .target(
            name: "MilvusProto",
            dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["milvus.proto", "regenerate.sh"]),

        // A Milvus cluster as a Source and a Target.
        .target(
            name: "StopoverMilvus",
            dependencies: [
                "StopoverCore", "MilvusProto",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),

        // Twins: an in-memory Milvus server, and what tests of several modules share.
        .target(
            name: "StopoverTesting",
            dependencies: [
                "CFaultVFS", "StopoverCore", "StopoverMilvus", "MilvusProto",
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),

        // The in-memory Milvus server as a process, for runs across processes.
        .executableTarget(
            name: "milvus-twin",
            dependencies: [
                "StopoverCore", "StopoverTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // The load protocol in a world that fails by a seed.
        .executableTarget(
            name: "load-simulation",
            dependencies: [
                "StopoverTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // A whole job that dies at every point of its disk and of its target.
        .executableTarget(
            name: "crash-points",
            dependencies: [
                "StopoverTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // What networks do to connections, before a real server (Scripts/torture).
        .executableTarget(
            name: "fault-proxy",
            dependencies: [
                "StopoverTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        // What each part of the way of a row costs (Benchmarks/run).
        .executableTarget(
            name: "benchmark-parts",
            dependencies: [
                "MilvusProto", "StopoverCore", "StopoverMilvus", "StopoverTesting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            path: "Benchmarks/Parts",
            swiftSettings: strict),

        // The composition root.
        .executableTarget(
            name: "stopover",
            dependencies: [
                "CDemoData", "StopoverCore", "StopoverMilvus",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .testTarget(
            name: "StopoverCoreTests", dependencies: ["StopoverCore", "StopoverTesting"],
            swiftSettings: strict),
        .testTarget(
            name: "StopoverMilvusTests",
            dependencies: [
                "StopoverMilvus", "StopoverTesting", "MilvusProto",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
        // The executable as a user runs it, against real servers.
        .testTarget(
            name: "StopoverTests",
            dependencies: [
                "StopoverCore", "StopoverMilvus", "StopoverTesting", "MilvusProto",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
    ]
)
