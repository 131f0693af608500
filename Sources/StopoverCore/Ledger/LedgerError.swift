import Foundation
import GRDB

extension LedgerTables {
    /// Runs a piece of database work, turning what SQLite says into errors with a remedy.
    static func guarded<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as DatabaseError { throw StopoverError(error) }
    }

    static func guarded<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError {
            throw StopoverError(error)
        }
    }
}

extension StopoverError {
    fileprivate init(_ error: DatabaseError) {
        switch error.resultCode {
        // Our statements are constant, so SQLITE_ERROR says that the tables are not ours.
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ERROR:
            self = .ledgerCorrupt(error.message ?? "\(error.resultCode)")
        case .SQLITE_CONSTRAINT: self = .ledgerRefuses(error.message ?? "\(error.resultCode)")
        case .SQLITE_FULL:
            self = StopoverError(
                .ledgerDiskFull, "the disk of the job directory is full",
                remedy: "Free some space there, then run the same command again.")
        default:
            self = StopoverError(
                .ledgerIO, "the ledger cannot be read or written",
                remedy: "Check the disk and the rights of the job directory, then run the same "
                    + "command again.",
                cause: error.message)
        }
    }

    static func ledgerCorrupt(_ what: String) -> StopoverError {
        StopoverError(
            .ledgerCorrupt, "the ledger of the job is damaged",
            remedy: "Nothing on the source changed. Remove what the job left on the target with "
                + "`stopover cancel JOB --drop` if it still answers, or drop the collection whose "
                + "name contains `__stopover_`; then run the migration under another name with "
                + "`--job`.",
            cause: what)
    }

    static func ledgerNotOpened(_ code: Int32) -> StopoverError {
        StopoverError(
            .ledgerIO, "the ledger cannot be opened: \(String(cString: strerror(code)))",
            remedy: "Check the disk and the rights of the job directory, then run the same command "
                + "again.")
    }

    static func ledgerNewer(_ format: Int) -> StopoverError {
        StopoverError(
            .ledgerNewer,
            "the job was begun by a later version of stopover (ledger format \(format))",
            remedy: "Carry on with that version.")
    }

    /// An entry that does not fit the state: a mistake of the program, stopped before it is durable.
    static func ledgerRefuses(_ what: String) -> StopoverError {
        StopoverError(
            .ledgerRefuses, "the ledger refuses an entry that does not fit: \(what)",
            remedy: "Nothing was lost; run the same command again. If it comes back, report it.")
    }
}

extension StopoverError.Code {
    public static let ledgerCorrupt = Self("STO-LEDGER-CORRUPT", exit: .failed)
    public static let ledgerNewer = Self("STO-LEDGER-NEWER", exit: .refused)
    public static let ledgerRefuses = Self("STO-LEDGER-REFUSES", exit: .failed)
    public static let ledgerDiskFull = Self("STO-LEDGER-DISK-FULL", exit: .failed)
    public static let ledgerIO = Self("STO-LEDGER-IO", exit: .failed)
}
