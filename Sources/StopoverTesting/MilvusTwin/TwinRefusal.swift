import MilvusProto
import SwiftProtobuf

/// A refusal as servers write it: gRPC's status is OK, and both code spaces are filled in as
/// 2.3.5 fills them (Docs/servers-measured.md).
struct TwinRefusal: Error {
    var code: Int32
    var errorCode: Int32
    var reason: String

    init(_ code: Int32, _ errorCode: Int32, _ reason: String) {
        self.code = code
        self.errorCode = errorCode
        self.reason = reason
    }

    /// With the older code that 2.3.5 writes beside this one.
    init(code: Int32, reason: String) {
        let older: [Int32: Int32] = [
            0: 0, 3: 52, 7: 54, 8: 49, 9: 53, 100: 4, 200: 15, 700: 25, 1100: 5,
        ]
        self.init(code, older[code] ?? 1, reason)
    }

    static func collectionMissing(
        _ database: String, _ name: String, errorCode: Int32 = 4
    ) -> TwinRefusal {
        TwinRefusal(
            100, errorCode, "collection not found[database=\(database)][collection=\(name)]")
    }
    static func databaseMissing(_ name: String) -> TwinRefusal {
        TwinRefusal(800, 1, "database not found[database=\(name)]")
    }
    static func partitionMissing(_ name: String) -> TwinRefusal {
        TwinRefusal(200, 15, "partition not found[partition=\(name)]")
    }
    static func aliasTaken(_ name: String) -> TwinRefusal {
        TwinRefusal(1602, 1, "alias exists already[alias=\(name)]")
    }
    static func indexMissing(_ collection: String) -> TwinRefusal {
        TwinRefusal(700, 25, "index not found[collection=\(collection)]")
    }
    static let notLoaded = TwinRefusal(101, 1, "failed to query: collection not loaded")
    static func badParameter(_ reason: String) -> TwinRefusal { TwinRefusal(1100, 5, reason) }
    /// What Go servers say of a bad parameter for which they have no code.
    static func unexpected(_ reason: String) -> TwinRefusal { TwinRefusal(65535, 1, reason) }

    var status: MilvusStatus {
        .with {
            $0.code = code
            $0.errorCode = errorCode
            $0.reason = reason
        }
    }

    /// The reply of a method that says this.
    func reply(to method: TwinMethod) throws -> [UInt8] {
        let status: [UInt8] = try status.serializedBytes()
        guard !method.answersStatusOnly else { return status }
        var reply: [UInt8] = []
        reply.add(field: 1, bytes: status)
        return reply
    }
}
