import Foundation
import MilvusProto
import StopoverCore
import StopoverTesting
import SwiftProtobuf
import Synchronization
import Testing

struct MatrixCellName: Hashable, Comparable, CustomStringConvertible {
    var description: String

    init(_ type: String, _ variant: MatrixVariant) { description = "\(type), \(variant.rawValue)" }
    init(_ type: MatrixType, _ variant: MatrixVariant) { self.init(type.name, variant) }

    static func < (one: Self, other: Self) -> Bool { one.description < other.description }
}

enum MatrixVerdict: Sendable, Equatable {
    case arrived, noValue
    /// In the source's words: it cannot hold such rows.
    case sourceRefuses(String)
    case failed(String)
}

/// Every type in every variant, types that no real server here holds among them, through the whole
/// tool between two servers of our own.
@Suite("The matrix of types between our own servers")
struct TwinMatrixTests {
    /// The first that has everything (`ServerFeature`).
    static let version = "v3.0.0-twin"

    @Test("has no cell that fails, and Docs/compatibility.md says what it found")
    func everyCell() async throws {
        let tool = try Tool()
        let witness = Witness()
        var options = MilvusTwin.Options()
        options.version = Self.version
        var watched = options
        // Several pages a collection: columns are cut and put together again, and some pages hold
        // nulls alone.
        options.behaviour = .fault(.truncatePage(rows: 3), of: "Query")
        watched.written = { witness.note($0) }
        let verdicts = try await MilvusTwin.with(options) { [watched] source in
            try await MilvusTwin.with(watched) { target in
                try await run(source, target, witness, tool)
            }
        }
        #expect(witness.inserts(with: "unreadable").isEmpty)
        for (name, verdict) in verdicts.sorted(by: { $0.key < $1.key }) {
            if case .failed(let reason) = verdict { Issue.record("\(name): \(reason)") }
        }
        let page = try CompatibilityPage()
        let section = page.section(verdicts)
        if ProcessInfo.processInfo.environment["STOPOVER_WRITE_COMPATIBILITY"] != nil {
            try page.write(section)
        } else {
            let difference = section.split(separator: "\n")
                .difference(from: page.section.split(separator: "\n"))
            #expect(difference.isEmpty, "run Scripts/compatibility and read what changed")
        }
    }

    private func run(
        _ source: MilvusTwin, _ target: MilvusTwin, _ witness: Witness, _ tool: Tool
    ) async throws -> [MatrixCellName: MatrixVerdict] {
        var verdicts: [MatrixCellName: MatrixVerdict] = [:]
        for variant in MatrixVariant.allCases {
            let (held, refused) = try sort(MatrixType.all, variant, source)
            verdicts.merge(refused) { $1 }
            try source.ask("CreateDatabase", .database(variant.database))
            let shapes = MatrixShape.shapes(of: held, variant)
            let seeded = try shapes.map { try source.seed($0) }
            let file = try tool.migration(
                """
                source: {uri: "\(source.uri)"}
                target: {uri: "\(target.uri)"}
                collections: [{source: "\(variant.database).*"}]
                """, named: "\(variant.database).yaml")
            let ended = try await tool.run(["run", file, "--job", variant.database])
            for (shape, rows) in zip(shapes, seeded) {
                for (type, fault) in try faults(shape, rows, source, target, witness) {
                    verdicts[.init(type, variant)] =
                        fault.map { .failed("\($0); \(ended)") } ?? .arrived
                }
            }
        }
        return verdicts
    }

    /// The types of which the source takes the variant's values, and the verdicts of the others.
    private func sort(
        _ types: [MatrixType], _ variant: MatrixVariant, _ source: MilvusTwin
    ) throws -> ([MatrixType], [MatrixCellName: MatrixVerdict]) {
        let database = "alone_\(variant.database)"
        try source.ask("CreateDatabase", .database(database))
        var held: [MatrixType] = []
        var refused: [MatrixCellName: MatrixVerdict] = [:]
        for type in types {
            guard try type.cells(variant) != nil else {
                refused[.init(type, variant)] = .noValue
                continue
            }
            do {
                _ = try source.seed(
                    MatrixShape(
                        database: database, collection: type.name.replacing(" ", with: "_"),
                        variant: variant, types: [type]))
                held.append(type)
            } catch let refusal as Refused {
                let reason = refusal.reason.replacing(
                    /a_[a-z0-9_]+(\[[a-z0-9_]+\])?/, with: "FIELD")
                refused[.init(type, variant)] = .sourceRefuses("our server says “\(reason)”")
            }
        }
        return (held, refused)
    }

    /// For each type what is not on the target as it was on the source, in words.
    private func faults(
        _ shape: MatrixShape, _ rows: MilvusInsertRequest?, _ source: MilvusTwin,
        _ target: MilvusTwin, _ witness: Witness
    ) throws -> [(MatrixType, String?)] {
        do {
            let wanted = try source.description(of: shape)
            let there = try target.description(of: shape)
            guard wanted == there else {
                return shape.types.map { ($0, "described as \(there), not as \(wanted)") }
            }
            let held = try target.rowCount(of: shape)
            guard held == rows?.numRows ?? 0 else {
                return shape.types.map { ($0, "the target counts \(held) rows") }
            }
            let sent = try MatrixReader(rows.map { [$0] } ?? [], key: shape.key)
            let came = try MatrixReader(witness.inserts(with: shape.key), key: shape.key)
            return shape.types.map { ($0, came.difference(from: sent, in: $0.fieldName)) }
        } catch let refused as Refused {
            return shape.types.map { ($0, refused.reason) }
        } catch let unreadable as MatrixReader.Unreadable {
            return shape.types.map { ($0, unreadable.description) }
        }
    }
}

extension Message where Self == MilvusCreateDatabaseRequest {
    fileprivate static func database(_ name: String) -> Self { .with { $0.dbName = name } }
}

/// Every Insert and Upsert that the target took, by the name of its key field.
private final class Witness: Sendable {
    private let requests = Mutex<[String: [MilvusInsertRequest]]>([:])

    func note(_ bytes: [UInt8]) {
        let request = try? MilvusInsertRequest(serializedBytes: bytes)
        let key = request?.fieldsData.first { $0.fieldName.hasPrefix("key_") }?.fieldName
        requests.withLock { $0[key ?? "unreadable", default: []].append(request ?? .init()) }
    }

    func inserts(with key: String) -> [MilvusInsertRequest] {
        requests.withLock { $0[key] ?? [] }
    }
}
