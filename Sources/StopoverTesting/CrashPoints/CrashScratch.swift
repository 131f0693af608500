import Foundation
import StopoverCore

/// A directory for the real files of one case: its ledgers, one directory a life, and its error log. In
/// memory where there is such a place: what a power cut takes is simulated, not waited for.
struct CrashScratch {
    let path: String
    let job: JobDirectory

    init() throws {
        let memory = "/dev/shm"
        let root =
            access(memory, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory.path
        path = root + "/stopover-crash-" + UUID().uuidString
        job = try JobDirectory(home: path, job: "job")
        try FileManager.default.createDirectory(
            atPath: job.path, withIntermediateDirectories: true)
    }

    /// The directory of a life, with the files that the one before left.
    func life(_ number: Int, _ files: [String: Data]) throws -> String {
        let directory = path + "/life-\(number)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
        for (name, bytes) in files { try bytes.write(to: URL(filePath: directory + "/" + name)) }
        return directory
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
