import Foundation
import StopoverTesting
import Testing

@testable import StopoverCore

@Suite("A receipt")
struct ReceiptTests {
    private let scratch: JobScratch
    private let directory: JobDirectory

    init() throws {
        scratch = try JobScratch()
        directory = try JobDirectory(home: scratch.path, job: "job")
        try directory.prepare(spool: directory.spoolPath)
    }

    /// A job of two transfers and some chunks, all of whose rows are flushed.
    private func job() async throws -> (Ledger, [TransferResult]) {
        let plan = MigrationPlan(
            fingerprint: "f",
            source: ClusterSummary(address: "http://source:1", identity: .test),
            target: ClusterSummary(address: "http://target:1", identity: .test), transfers: [])
        let migration = Migration(
            file: "", source: Endpoint(address: try EndpointAddress("http://source:1")),
            target: Endpoint(address: try EndpointAddress("http://target:1")))
        try directory.write(
            try StoredPlan(plan: plan, identity: migration.identity).encoded,
            to: directory.planPath)
        let ledger = try Ledger.create(at: directory.ledgerPath, job: SampleLedger.job)
        try await ledger.commit([
            .transferPlanned(
                SampleLedger.transfer(1), splits: [SampleLedger.split(1), SampleLedger.split(2)]),
            .transferPlanned(SampleLedger.transfer(2), splits: [SampleLedger.split(3, of: 2)]),
        ])
        for number in Int64(1)...30 {
            let (split, transfer): (Int64, Int64) = number % 3 == 0 ? (3, 2) : (number % 3, 1)
            try await ledger.commit([
                .chunkSpooled(SampleLedger.chunk(number, split: split, of: transfer)),
                .contentDigested(
                    ContentRecord(
                        chunk: ChunkID(number), transfer: TransferID(transfer), rowCount: 10,
                        fields: [
                            Digest128(high: UInt64(number), low: .max), Digest128(high: 0, low: 1),
                        ],
                        samples: [
                            SampledRow(row: 3, key: .varchar("ü"), digests: [.max, 1]),
                            SampledRow(row: 9, key: nil, digests: [0, 2]),
                        ])),
                .chunkAcked(ChunkID(number), rows: 0..<4, ids: .int64([7, 8, 9, number * 100])),
                .chunkAcked(
                    ChunkID(number), rows: 4..<10, ids: .varchar(["a", "b", "c", "d", "e", "f"])),
                .chunksFlushed([ChunkID(number)]),
            ])
        }
        let counts = TransferCounts(
            sourceAtPlan: 5, sourceAtEnd: 5, read: 5, quarantined: 0, loaded: 5, target: 5)
        let results = (Int64(1)...2).map { (number: Int64) -> TransferResult in
            let transfer = SampleLedger.transfer(number)
            return TransferResult(
                source: transfer.source, target: transfer.target, counts: counts, unreadable: [])
        }
        for (number, result) in zip(Int64(1)..., results) {
            try await ledger.commit([.transferPublished(TransferID(number), result)])
        }
        return (ledger, results)
    }

    @Test("makes a job of itself on another machine that is the same to a verification")
    func imported() async throws {
        let (ledger, results) = try await job()
        let written = try await ReceiptWriter(directory, ledger).write(results)
        #expect(written.end.chunks == 30 && written.end.rows == 300)
        let text = try Data(contentsOf: URL(filePath: written.path))
        #expect(try JSONSerialization.jsonObject(with: text) is [String: Any], "it is JSON")

        let home = scratch.path + "/elsewhere"
        let copy = try await ReceiptImport.job(from: written.path, home: home)
        #expect(copy.name == "receipt-" + written.seal.prefix(16))
        let other = try Ledger.open(at: copy.ledgerPath)
        #expect(other.job == ledger.job)
        #expect(try await other.transfers() == ledger.transfers())
        for transfer in try await ledger.transfers() {
            #expect(try await other.splits(of: transfer.id) == ledger.splits(of: transfer.id))
            #expect(try await other.result(of: transfer.id) == ledger.result(of: transfer.id))
            let chunks = try await ledger.chunks(of: transfer.id, in: .flushed)
            #expect(!chunks.isEmpty)
            #expect(try await other.chunks(of: transfer.id, in: .flushed) == chunks)
            for chunk in chunks {
                #expect(try await other.content(of: chunk.id) == ledger.content(of: chunk.id))
                #expect(try await other.acks(of: chunk.id) == ledger.acks(of: chunk.id))
            }
        }
        // Again, it is found.
        try await other.close()
        #expect(try await ReceiptImport.job(from: written.path, home: home).path == copy.path)
        try await ledger.close()
    }

    @Test("is refused with one byte changed, cut off, left out or added, wherever it is")
    func changed() async throws {
        let (ledger, results) = try await job()
        let written = try await ReceiptWriter(directory, ledger).write(results)
        try await ledger.close()
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: written.path)))
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        var places = Array(0..<40) + Array(bytes.count - 120..<bytes.count)
        places += (0..<800).map { _ in Int.random(in: bytes.indices, using: &random) }
        var changes = places.map { (place: $0, kind: $0 % 4) }
        // What no chain holds is what joins the lines: each of it is taken out, and doubled.
        for end in bytes.indices where bytes[end] == UInt8(ascii: "\n") {
            for place in [end - 1, end] {
                changes += [(place, 2), (place, 4)]
            }
        }
        for (place, kind) in changes {
            var damaged = bytes
            switch kind {
            case 0, 1: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: damaged.remove(at: place)
            case 4: damaged.insert(bytes[place], at: place)
            default: damaged.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
            }
            if damaged == bytes { continue }
            try scratch.write(damaged, to: "damaged.json")
            let error = await #expect(throws: StopoverError.self, "byte \(place), seed \(seed)") {
                try await ReceiptImport.job(
                    from: scratch.path + "/damaged.json", home: scratch.path + "/refused")
            }
            #expect(
                error?.code == .receiptDamaged || error?.code == .ledgerNewer,
                "byte \(place), seed \(seed): \(String(describing: error))")
        }
        for length in [0, 1, bytes.count / 2, bytes.count - 1] {
            try scratch.write(Array(bytes[..<length]), to: "damaged.json")
            let error = await #expect(throws: StopoverError.self) {
                try await ReceiptImport.job(
                    from: scratch.path + "/damaged.json", home: scratch.path + "/refused")
            }
            #expect(error?.code == .receiptDamaged)
        }
        #expect(access(scratch.path + "/refused", F_OK) != 0, "nothing was made of them")
    }
}

extension ServerIdentity {
    fileprivate static let test = ServerIdentity(
        version: "v2.4.0", kind: .milvus, numbers: [2, 4, 0])
}
