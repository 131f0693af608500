import Crypto
import Foundation

/// The record of a finished job that anybody can check again: what was planned, what was moved, chunk
/// by chunk with the digests of its rows, and what was found on the target. It has no secret, but for
/// the seed of the digests, which is one only until the job ends.
///
/// `receipt.json` is one JSON object, written and read line by line, so that a job of any size takes
/// little memory:
///
///     {"head":{…},"chunks":[
///     {"link":"64 hex digits","chunk":{…}},
///     …
///     ],"end":{…},"seal":"64 hex digits"}
///
/// A chain goes through it: `link` is SHA-256 over the link before it and the text of the chunk, the
/// first over SHA-256 of the head's text, and `seal` over the last link and the end's text. So every byte
/// is held by the seal, and a changed one is found in its line.
public enum Receipt {
    public static let format = 1
    public static let fileName = "receipt.json"
    /// Longer lines are refused: a head with the plan of thousands of collections is shorter.
    static let longestLine = 256 << 20

    public struct Head: Codable, Sendable {
        public var format = Receipt.format
        public var job: JobIdentity
        public var begun: Date?
        public var stored: StoredPlan
        public var transfers: [TransferRecord]
        public var splits: [SplitRecord]

        public init(
            job: JobIdentity, begun: Date?, stored: StoredPlan, transfers: [TransferRecord],
            splits: [SplitRecord]
        ) {
            self.job = job
            self.begun = begun
            self.stored = stored
            self.transfers = transfers
            self.splits = splits
        }
    }

    /// A chunk, all of whose rows are durable on the target.
    public struct Chunk: Codable, Sendable {
        public var record: ChunkRecord
        public var content: ContentRecord?
        public var acks: [AckRecord]
    }

    public struct End: Codable, Sendable {
        public var written: Date
        public var chunks: Int64
        public var rows: Int64
        public var results: [TransferResult]
        public var verifications: [VerificationRecord]
        /// How the rows moved, for the plot of the report.
        public var throughput: [ThroughputSample]
    }

    // MARK: The chain

    struct Chain {
        private(set) var link: [UInt8]

        init(head: some Sequence<UInt8>) { link = Array(SHA256.hash(data: Array(head))) }

        mutating func add(_ text: some Sequence<UInt8>) {
            link = Array(SHA256.hash(data: link + Array(text)))
        }

        var hex: String { link.hex }
    }

    // The bytes around the texts.
    static let headStart = Array(#"{"head":"#.utf8)
    static let headEnd = Array(#","chunks":["#.utf8)
    static let linkStart = Array(#"{"link":""#.utf8)
    static let chunkStart = Array(#"","chunk":"#.utf8)
    static let endStart = Array(#"],"end":"#.utf8)
    static let sealStart = Array(#","seal":""#.utf8)
    static let sealEnd = Array(#""}"#.utf8)
    static let hexDigits = 64

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return Array(try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: ArraySlice<UInt8>) throws
        -> Value
    {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(text))
    }
}

extension StopoverError {
    static func receiptDamaged(_ line: Int, _ what: String) -> StopoverError {
        StopoverError(
            .receiptDamaged, "the receipt is not as it was written: line \(line): \(what)",
            remedy:
                "Nothing it says may be believed. Take the receipt from where it was kept first: "
                + "the job directory has one.")
    }
}

extension StopoverError.Code {
    public static let receiptDamaged = Self("STO-RECEIPT-DAMAGED", exit: .refused)
    public static let receiptFile = Self("STO-RECEIPT-FILE", exit: .usage)
}
