import Foundation
import MilvusProto

@testable import StopoverCore
@testable import StopoverMilvus

/// A way to spoil a row of a finished migration, and what a verification must say of it.
enum PlantedFault: CaseIterable {
    case drop
    case double
    /// A field of two rows, exchanged.
    case swap
    /// One bit of a vector.
    case bit
    /// A null becomes the empty text, or a text a null.
    case null
    /// A `1` in JSON becomes `1.0`.
    case point
    /// The row gets the key of another chunk's range.
    case move
    /// A number is one more.
    case number

    /// What is to be found, without the places that only the migration knows.
    struct Expected: Hashable, CustomStringConvertible {
        var kind: RowProblem.Kind
        var key: PrimaryKey
        var fields: [String] = []

        var description: String { "\(kind.rawValue) \(key) \(fields)" }

        init(_ kind: RowProblem.Kind, _ key: PrimaryKey, _ fields: [String] = []) {
            self.kind = kind
            self.key = key
            self.fields = fields
        }

        /// nil of a problem that names no row.
        init?(_ problem: RowProblem) {
            guard let key = problem.key else { return nil }
            self.init(problem.kind, key, problem.fields)
        }
    }

    /// Spoils the row with this key, and perhaps another one.
    /// - Parameters:
    ///   - other: the key of a row that is not spoiled otherwise.
    ///   - made: whether the target makes the keys: a row that is written again gets a new one.
    /// - Returns: nil where this row, or this server, cannot be spoiled so.
    func plant(
        _ key: PrimaryKey, _ other: PrimaryKey, in pair: MigratedPair, made: Bool
    ) async throws -> [Expected]? {
        let row = try await pair.read([key])[0]
        switch self {
        case .drop:
            try await pair.delete([key])
            return [Expected(.missing, key)]
        case .double:
            let before = try await pair.count()
            let new = try await pair.write(row)
            // Some servers take an insert with a key that is there for an upsert.
            guard try await pair.count() == before + 1 else { return nil }
            return [Expected(.extra, made ? new ?? key : key)]
        case .swap:
            var (row, second) = (row, try await pair.read([other])[0])
            guard row["facts"] != second["facts"] else { return nil }
            (row["facts"], second["facts"]) = (second["facts"], row["facts"])
            return try await changed(key, row, "facts", in: pair, made)
                + changed(other, second, "facts", in: pair, made)
        case .bit:
            var row = row
            guard var values = row["vector"]?.vectors.floatVector.data, let first = values.first
            else { return nil }
            values[0] = Float(bitPattern: first.bitPattern ^ 1)
            row["vector"]?.vectors.floatVector.data = values
            return try await changed(key, row, "vector", in: pair, made)
        case .null:
            var row = row
            guard var title = row["title"], !title.validData.isEmpty else { return nil }
            let isNull = !title.validData[0]
            title.validData = [isNull]
            title.scalars.stringData.data = isNull ? [""] : []
            row["title"] = title
            return try await changed(key, row, "title", in: pair, made)
        case .point:
            var row = row
            guard let text = row["facts"]?.scalars.jsonData.data.first,
                let facts = try JSONSerialization.jsonObject(with: text) as? [String: Any],
                let number = facts["n"] as? Int, let name = facts["x"] as? String
            else { return nil }
            row["facts"]?.scalars.jsonData.data = [
                Data(#"{"n":\#(number).0,"x":"\#(name)"}"#.utf8)
            ]
            return try await changed(key, row, "facts", in: pair, made)
        case .move:
            guard !made, case .int64(let number) = other else { return nil }
            var row = row
            row["id"]?.scalars.longData.data = [number + 1]
            try await pair.delete([key])
            try await pair.write(row)
            return [Expected(.missing, key), Expected(.extra, .int64(number + 1))]
        case .number:
            var row = row
            guard let number = row["count"]?.scalars.intData.data.first else { return nil }
            row["count"]?.scalars.intData.data = [number + 1]
            return try await changed(key, row, "count", in: pair, made)
        }
    }

    private func changed(
        _ key: PrimaryKey, _ row: [String: MilvusFieldData], _ field: String, in pair: MigratedPair,
        _ made: Bool
    ) async throws -> [Expected] {
        guard made else {
            try await pair.write(row, mode: .upsert)
            return [Expected(.differ, key, [field])]
        }
        try await pair.delete([key])
        let new = try await pair.write(row)
        return [Expected(.missing, key)] + (new.map { [Expected(.extra, $0)] } ?? [])
    }
}
