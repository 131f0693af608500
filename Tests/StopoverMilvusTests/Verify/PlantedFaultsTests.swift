import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore
@testable import StopoverMilvus

/// The verifier is verified: faults of every kind are planted at random places of finished migrations;
/// each must be found, classed, and its field named, nothing else may be; then it is repaired, and a
/// verification must find nothing.
@Suite("A planted fault")
struct PlantedFaultsTests {
    /// STOPOVER_PLANTED asks for more of them: so many on our server, a tenth on each real one.
    private static func faults(_ usual: Int) -> Int {
        ProcessInfo.processInfo.environment["STOPOVER_PLANTED"].flatMap(Int.init) ?? usual
    }

    @Test(
        "is found, named and repaired on our server",
        arguments: [Mapping.AutoID.keep, .regenerate])
    func twin(_ autoID: Mapping.AutoID) async throws {
        try await withTwin { _, source in
            try await withTwin { _, target in
                try await plant(
                    Self.faults(200) / 2, together: 1, .init(autoID: autoID), source, target)
            }
        }
    }

    @Test("is found, named and repaired on real servers", arguments: RealServer.Kind.allCases)
    func real(_ kind: RealServer.Kind) async throws {
        try await RealServer.with(kind) { server in
            try await MilvusCluster.withCluster(server.endpoint) { target in
                try await withTwin { _, source in
                    try await plant(
                        Self.faults(200) / 10, together: 10, .init(isNullable: kind == .lite3),
                        source,
                        target)
                }
            }
        }
    }

    @Test("found before the collection is published keeps it back until it is repaired")
    func unpublished() async throws {
        try await withTwin { _, source in
            try await withTwin { _, target in
                try await MigratedPair.with(.init(), source, target) { pair in
                    let key = try await pair.keys()[7]
                    try await pair.delete([key])
                    #expect(try await !pair.verifier.verify(.sample)[0].counts.isComplete)
                    // As if it had died before it knew that it had published the collection.
                    try await pair.engine.ledger.commit([
                        .transferPhase(TransferID(1), .checking)
                    ])
                    let held = try await pair.run()
                    #expect(held.leftAs == MigratedPair.copy && !held.isComplete)
                    #expect(held.verification?.missing == 1)
                    #expect(try await pair.run().leftAs != nil)
                    let repaired = try await pair.verifier.repair(deletesExtra: false)[0]
                    #expect(repaired.isWhole && repaired.leftAs != nil)
                    let published = try await pair.run()
                    #expect(published.leftAs == nil && published.isComplete)
                }
            }
        }
    }

    @Test("in rows that the source no longer has is told, and not repaired")
    func sourceGone() async throws {
        try await withTwin { _, source in
            try await withTwin { _, target in
                try await MigratedPair.with(.init(), source, target) { pair in
                    let key = try await pair.keys()[7]
                    try await pair.delete([key])
                    try await source.delete(
                        [key], of: pair.plan.transfers[0].primaryKey, from: MigratedPair.name)
                    let found = try await pair.verifier.verify(.digest)[0]
                    #expect(found.verification?.unreadable == 1)
                    let repaired = try await pair.verifier.repair(deletesExtra: true)[0]
                    #expect(repaired.verification?.unreadable == 1)
                    // The others are as they were.
                    #expect(try await pair.count() == Int64(MigratedPair.rowCount - 1))
                }
            }
        }
    }

    @Test("is told without its row where the source cannot be asked, and needs no source otherwise")
    func sourceSilent() async throws {
        try await withTwin { twin, source in
            try await withTwin { _, target in
                try await MigratedPair.with(.init(), source, target) { pair in
                    twin.behave(.fault(.fail(.unavailable), of: "Query"))
                    #expect(try await pair.verifier.verify(.digest)[0].isComplete)
                    let key = try await pair.keys()[7]
                    try await pair.delete([key])
                    let found = try await pair.verifier.verify(.digest)[0].verification
                    #expect(found?.unreadable == 1 && found?.missing == 0)
                    twin.behave(.normal)
                    let named = try await pair.verifier.verify(.digest)[0].verification
                    #expect(named?.unreadable == 0 && named?.missing == 1)
                }
            }
        }
    }

    @Test("in the source since then is seen by the level that reads it again, and by no other")
    func sourceChanged() async throws {
        try await withTwin { _, source in
            try await withTwin { _, target in
                try await MigratedPair.with(.init(), source, target) { pair in
                    let transfer = pair.plan.transfers[0]
                    try await source.delete(
                        [.int64(50)], of: transfer.primaryKey, from: MigratedPair.name)
                    #expect(
                        try await pair.verifier.verify(.digest)[0].verification?.isClean == true)
                    let full = try await pair.verifier.verify(.full)[0].verification
                    #expect(full?.isClean == false)
                    let problems = try await pair.problems()
                    #expect(problems.map(\.key) == [.int64(50)] && problems[0].note != nil)
                }
            }
        }
    }

    private func plant(
        _ wanted: Int, together: Int, _ shape: MigratedPair.Shape, _ source: MilvusCluster,
        _ target: MilvusCluster
    ) async throws {
        let seed = UInt64.random(in: 0..<1 << 40)
        var random = SeededRandom(seed: seed)
        let made = shape.autoID == .regenerate
        var (planted, clean) = (0, 0)
        var kinds: [PlantedFault: Int] = [:]
        try await MigratedPair.with(shape, source, target) { pair in
            let transfer = pair.plan.transfers[0]
            let isMade = transfer.keys == .target
            try #require(pair.first.isComplete, "seed \(seed): \(pair.first)")
            let proof = try #require(pair.first.verification)
            try #require(proof.comparedRows == Int64(MigratedPair.rowCount), "\(proof)")
            try #require(proof.chunks > 5, "\(proof)")
            while planted < wanted {
                // Two keys a fault, no key twice; moved rows have keys between those.
                var keys = try await pair.keys().shuffled(using: &random)
                var expected: Set<PlantedFault.Expected> = []
                var now = 0
                while now < together, keys.count > 1 {
                    let fault = PlantedFault.allCases.randomElement(using: &random) ?? .drop
                    let (key, other) = (keys.removeLast(), keys.removeLast())
                    guard
                        let found = try await fault.plant(key, other, in: pair, made: isMade)
                    else { continue }
                    expected.formUnion(found)
                    kinds[fault, default: 0] += 1
                    now += 1
                }
                planted += now
                let result = try await pair.verifier.verify(.digest)[0]
                let problems = try await pair.problems()
                let found = Set(problems.compactMap(PlantedFault.Expected.init))
                try #require(
                    found == expected && problems.count == expected.count,
                    "seed \(seed), \(planted): \(problems) instead of \(expected)")
                #expect(!result.isComplete)
                let repaired = try await pair.verifier.repair(deletesExtra: true)[0]
                let left = try await pair.problems()
                try #require(
                    repaired.verification?.isClean == true && repaired.counts.isComplete,
                    "seed \(seed), \(planted): \(expected) left \(left)")
                let again = try await pair.verifier.verify(.digest)[0]
                try #require(again.isComplete, "seed \(seed): \(again)")
                clean += 1
            }
        }
        print(
            "planted faults\(made ? ", keys made anew" : ""): \(planted), each found, classed, named and "
                + "repaired; \(clean) clean verifications without a find, seed \(seed): \(kinds)")
    }
}
