import Foundation
import StopoverCore
import Testing

@Suite("A secret")
struct SecretTests {
    static let canary = "c4n4ry-0f-th3-t35t"

    @Test("is redacted whatever is done with it")
    func redacted() {
        struct Holder {
            var secret: Secret
            var credentials: ResolvedCredentials
        }
        let secret = Secret(Self.canary)
        let holder = Holder(secret: secret, credentials: .password(user: "root", secret))
        var dumped = ""
        dump(holder, to: &dumped)
        dump(secret, to: &dumped)
        dumped += "\(secret) \(holder) \([secret]) \(Optional(secret) as Any)"
        dumped += String(describing: secret) + String(reflecting: holder) + secret.debugDescription
        for child in Mirror(reflecting: holder).children { dumped += "\(child)" }
        for child in Mirror(reflecting: secret).children { dumped += "\(child)" }
        dumped += "\(StopoverError(.configValue, "\(secret)", remedy: "\(holder)"))"
        #expect(!dumped.contains(Self.canary))
        #expect("\(secret)" == "<redacted>")
        #expect(secret.exposed() == Self.canary)
    }

    @Test("cannot be encoded")
    func notEncodable() {
        let secret: Any = Secret(Self.canary)
        let credentials: Any = ResolvedCredentials.token(Secret(Self.canary))
        #expect(!(secret is any Encodable) && !(credentials is any Encodable))
    }

    @Test("is found in the environment, in a file and behind a descriptor")
    func resolved() throws {
        let file = try Scratch(Self.canary + "\r\n\n")
        let environment = ["TOKEN": Self.canary]
        #expect(
            try SecretReference.environment("TOKEN").resolve(environment: environment).exposed()
                == Self.canary)
        #expect(try SecretReference.file(file.path).resolve().exposed() == Self.canary)
        let handle = try #require(FileHandle(forReadingAtPath: file.path))
        #expect(
            try SecretReference.descriptor(handle.fileDescriptor).resolve().exposed() == Self.canary
        )
        guard
            case .password("root", let secret) = try Credentials.password(
                user: "root", .environment("TOKEN")
            ).resolve(environment: environment)
        else {
            Issue.record("a password became something else")
            return
        }
        #expect(secret.exposed() == Self.canary)
    }

    @Test("that is absent, empty or unreadable is an error that names its place")
    func unresolved() throws {
        let empty = try Scratch("\n")
        let long = try Scratch(String(repeating: Self.canary, count: 10_000))
        let cases: [(SecretReference, StopoverError.Code, String)] = [
            (.environment("A"), .secretMissing, "A is not set"),
            (.environment("EMPTY"), .secretMissing, "EMPTY is empty"),
            (.file("/nowhere/x"), .secretUnreadable, "/nowhere/x"),
            (.file("/"), .secretUnreadable, "/"),
            (.file(empty.path), .secretMissing, empty.path),
            (.file(long.path), .secretUnreadable, long.path),
            (.descriptor(987), .secretUnreadable, "987"),
        ]
        for (reference, code, words) in cases {
            let error = try #require(throws: StopoverError.self, "\(reference)") {
                try reference.resolve(environment: ["EMPTY": ""])
            }
            #expect(error.code == code && error.message.contains(words), "\(error)")
            #expect(!"\(error)".contains(Self.canary))
        }
    }

    @Test(
        "is referred to in three ways and no other",
        arguments: [
            ("${TOKEN}", true), ("${_a1}", true), ("file:/x", true), ("fd:3", true),
            ("TOKEN", false), ("$TOKEN", false), ("${}", false), ("${A-B}", false), ("${1}", false),
            ("file:", false), ("fd:-1", false), ("fd:3x", false), ("fd:", false), ("", false),
            (" ${A}", false), ("${A}\n", false), ("${Ä}", false), ("env:A", false),
        ])
    func forms(_ text: String, _ isReference: Bool) {
        let reference = SecretReference(text)
        #expect((reference != nil) == isReference)
        if let reference { #expect("\(reference)" == text) }
    }

    @Test("never reaches a migration that was read, printed or encoded")
    func migration() throws {
        let file = try Scratch(Self.canary)
        let yaml = "source: {uri: http://a, token: 'file:\(file.path)'}\ntarget: {uri: http://b}"
        let migration = try Migration(yaml: yaml, file: "m.yaml")
        var dumped = ""
        dump(migration, to: &dumped)
        dumped += String(decoding: try JSONEncoder().encode(migration), as: UTF8.self)
        dumped += "\(migration.identity) \(migration.defaultJobName)"
        #expect(!dumped.contains(Self.canary) && dumped.contains(file.path))
    }
}

/// A file of its own, gone with the value.
final class Scratch: Sendable {
    let path: String

    init(_ text: String) throws {
        path =
            FileManager.default.temporaryDirectory
            .appending(path: "stopover-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
