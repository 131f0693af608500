import ArgumentParser
import Foundation
import StopoverCore
import StopoverMilvus

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Two embedded Milvus Lite clusters, a real data set, a full migration with proof.",
        discussion: """
            Starts two Milvus Lite servers (installed on first use with Python's venv and pip), loads \
            6,000 Debian packages into one, and migrates them to the other twice: with their keys \
            kept, and with keys that the target makes. Each is checked again from its receipt alone.
            """)

    @Flag(help: "Leave the servers' data in place, and say where.")
    var keep = false

    @OptionGroup var home: HomeOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await output.reportingErrors { console in
            let status = try await demo(console)
            if status != .complete { throw ExitCode(status.rawValue) }
        }
    }

    private func demo(_ console: Console) async throws -> ExitStatus {
        let installation = try LiteInstallation.find(
            home: home.path, environment: ProcessInfo.processInfo.environment,
            say: { console.note($0) })
        let directory = NSTemporaryDirectory() + "stopover-demo-" + UUID().uuidString.prefix(8)
        defer {
            if keep {
                console.note("kept: \(directory)")
            } else {
                try? FileManager.default.removeItem(atPath: directory)
            }
        }
        let stop = StopSignal()
        let signals = Signals(stop) { console.note($0) }
        defer { withExtendedLifetime(signals) {} }
        let source = try LiteServer(installation, directory: directory + "/source")
        defer { source.stop() }
        let target = try LiteServer(installation, directory: directory + "/target")
        defer { target.stop() }
        console.note("two Milvus Lite servers: source \(source.uri), target \(target.uri)")

        let rows = try await seed(source)
        try await waitUntilReady(target)
        console.note("loaded \(rows) Debian packages into the source's collection packages")

        var status = ExitStatus.complete
        for mapping in Mapping.both {
            let migration = try Migration(
                yaml: mapping.yaml(source: source.uri, target: target.uri),
                file: "\(mapping.name).yaml")
            console.note("migrating: \(mapping.sentence)")
            let session = try JobSession(
                migration, named: mapping.name, home: directory, console: console, stop: stop)
            var report = try await session.run()
            // What is removed at the end is not pointed at.
            if !keep { report.evidence = nil }
            try console.result(report)
            if report.verdict != .complete { status = report.verdict.exitStatus }
            guard status == .complete else { return status }
            let again = try await checkAgain(session.directory, directory, console, stop)
            if again.verdict != .complete { status = again.verdict.exitStatus }
        }
        if !keep { console.note("`--keep` leaves receipts and reports, and says where") }
        return status
    }

    /// As somebody would who has nothing but the receipt.
    private func checkAgain(
        _ job: JobDirectory, _ directory: String, _ console: Console, _ stop: StopSignal
    ) async throws -> JobReport {
        let home = directory + "/elsewhere"
        let copy = try await ReceiptImport.job(from: job.receiptPath, home: home)
        let report = try await EndedJob(copy, file: nil, home: home, console: console, stop: stop)
            .run { try await $0.verify(.digest) }
        try console.result(
            "note", ["message": "the receipt of job \(job.name): \(report.verdict.rawValue)"],
            lines: [
                "\(report.verdict.rawValue)  again, of the receipt of job \(job.name) alone, in a fresh "
                    + "place: `stopover verify receipt.json`"
            ])
        return report
    }

    /// The two ways to treat primary keys.
    private struct Mapping {
        var name: String
        var autoID: String
        var sentence: String

        static let both = [
            Mapping(name: "kept", autoID: "keep", sentence: "keys kept, into database kept"),
            Mapping(
                name: "fresh", autoID: "regenerate",
                sentence: "keys made by the target, into database fresh"),
        ]

        func yaml(source: String, target: String) -> String {
            """
            source: {uri: "\(source)"}
            target: {uri: "\(target)"}
            collections:
              - source: packages
                target: \(name).packages
                auto_id: \(autoID)
            """
        }
    }

    private func waitUntilReady(_ server: LiteServer) async throws {
        try await Clusters.withCluster(try Endpoint(argument: server.uri, token: nil)) { cluster in
            try await server.waitUntilReady { (try? await cluster.databases()) != nil }
        }
    }

    /// Loads the data set and returns how many rows it has.
    private func seed(_ server: LiteServer) async throws -> Int {
        let parts = try DemoData.parts()
        try await waitUntilReady(server)
        // Connections of its own: those that met no server yet would be in their backoff.
        return try await Clusters.withCluster(
            try Endpoint(argument: server.uri, token: nil)
        ) { cluster in
            let name = CollectionName(collection: "packages")
            let collection = DemoData.collection(named: name)
            try await cluster.create(collection)
            for part in parts {
                let destination = InsertDestination(collection: name, partition: part.partition)
                switch await cluster.write(part.batch, to: destination, mode: .insert) {
                case .acknowledged: continue
                case .refused(let error), .unreached(let error), .rejected(let error),
                    .tooLarge(let error),
                    .fenced(let error), .inDoubt(let error):
                    throw error
                }
            }
            for index in collection.indexes { try await cluster.createIndex(index, on: name) }
            try await cluster.loadWhole(name)
            return parts.reduce(0) { $0 + $1.batch.rowCount }
        }
    }
}
