import Foundation

/// A program that answers each line of its input by a line of JSON; it is ended with this value.
public final class Dialogue {
    public struct Silent: Error, CustomStringConvertible {
        public var description: String
    }

    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()
    /// What it said first.
    public private(set) var greeting: [String: Any] = [:]

    public init(_ path: String, _ arguments: [String] = []) throws {
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        greeting = try answer()
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    /// - Throws: `Silent` when it has ended or says no JSON.
    public func ask(_ line: String) throws -> [String: Any] {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        return try answer()
    }

    private func answer() throws -> [String: Any] {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = unread[..<end]
                unread = Data(unread[unread.index(after: end)...])
                guard
                    let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
                else {
                    throw Silent(description: "no object: \(String(decoding: line, as: UTF8.self))")
                }
                return object
            }
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Silent(description: "it has ended") }
            unread.append(more)
        }
    }
}
