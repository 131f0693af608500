import Foundation

/// Where a secret is, as migration.yaml says it. Not secret itself: it may be stored and printed,
/// and is resolved anew by every run.
public enum SecretReference: Hashable, Sendable, Codable {
    /// `${NAME}`: an environment variable.
    case environment(String)
    /// `file:PATH`: a file that holds nothing else.
    case file(String)
    /// `fd:N`: a file descriptor that the caller opened, read to its end.
    case descriptor(Int32)

    /// More than any token; keeps a wrong path (`file:/dev/zero`) from filling memory.
    public static let longestSecretBytes = 64 << 10

    /// nil when `text` is none of the three forms: then it may be a secret, and must not be printed.
    public init?(_ text: String) {
        if text.hasPrefix("${"), text.hasSuffix("}") {
            let name = text.dropFirst(2).dropLast()
            guard let first = name.utf8.first, Self.isNameByte(first), !Self.isDigit(first),
                name.utf8.allSatisfy(Self.isNameByte)
            else { return nil }
            self = .environment(String(name))
        } else if text.hasPrefix("file:"), text.utf8.count > 5 {
            self = .file(String(text.dropFirst(5)))
        } else if text.hasPrefix("fd:"), let number = Int32(text.dropFirst(3)), number >= 0 {
            self = .descriptor(number)
        } else {
            return nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isNameByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == 0x5F || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte)
    }

    /// Reads the secret. A file may be read again, a descriptor only once. Trailing line breaks
    /// are not part of a secret that comes from a file or a descriptor.
    /// - Throws: `STO-SECRET-MISSING` when there is none or it is empty, `STO-SECRET-UNREADABLE`
    ///   when it cannot be read. No message holds any of its bytes.
    public func resolve(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(StopoverError) -> Secret {
        switch self {
        case .environment(let name):
            guard let value = environment[name], !value.isEmpty else {
                let state = environment[name] == nil ? "not set" : "empty"
                throw StopoverError(
                    .secretMissing, "the environment variable \(name) is \(state)",
                    remedy: "Set it for this command: `\(name)=… stopover run migration.yaml`, or "
                        + "name a file with `file:PATH`.")
            }
            return Secret(value)
        case .file(let path):
            guard let handle = FileHandle(forReadingAtPath: path) else {
                throw StopoverError(
                    .secretUnreadable, "cannot open \(path), where a secret should be",
                    remedy: "Check that the file exists and that this user may read it.",
                    cause: String(cString: strerror(errno)))
            }
            defer { try? handle.close() }
            return try Self.secret(in: handle, named: path)
        case .descriptor(let number):
            let handle = FileHandle(fileDescriptor: number, closeOnDealloc: false)
            return try Self.secret(in: handle, named: "file descriptor \(number)")
        }
    }

    private static func secret(
        in handle: FileHandle, named name: String
    ) throws(StopoverError) -> Secret {
        var bytes: [UInt8] = []
        do {
            // A pipe hands over what it has: read until it ends, or is longer than any secret.
            while bytes.count <= longestSecretBytes,
                let part = try handle.read(upToCount: longestSecretBytes + 1), !part.isEmpty
            {
                bytes += part
            }
        } catch {
            throw StopoverError(
                .secretUnreadable, "cannot read \(name), where a secret should be",
                remedy:
                    "Check that it is a readable file, and for `fd:N` that the caller opened it.")
        }
        guard bytes.count <= longestSecretBytes else {
            throw StopoverError(
                .secretUnreadable, "\(name) is longer than \(longestSecretBytes) bytes",
                remedy: "Name a file that holds the secret and nothing else.")
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StopoverError(
                .secretUnreadable, "\(name) is not UTF-8 text",
                remedy: "Name a file that holds the secret and nothing else.")
        }
        if text.isEmpty {
            throw StopoverError(
                .secretMissing, "\(name) is empty", remedy: "Write the secret into it.")
        }
        return Secret(text)
    }
}

extension SecretReference: CustomStringConvertible {
    /// As migration.yaml writes it.
    public var description: String {
        switch self {
        case .environment(let name): "${\(name)}"
        case .file(let path): "file:\(path)"
        case .descriptor(let number): "fd:\(number)"
        }
    }
}

extension StopoverError.Code {
    public static let secretMissing = Self("STO-SECRET-MISSING", exit: .refused)
    public static let secretUnreadable = Self("STO-SECRET-UNREADABLE", exit: .refused)
}
