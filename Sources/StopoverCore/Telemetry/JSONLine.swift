import Foundation

/// Objects for `--json`: one a line, with sorted keys, `"type"` and the time.
public enum JSONLine {
    private struct Line<Payload: Encodable>: Encodable {
        enum Key: CodingKey {
            case type
            case time
        }
        var type: String
        var time: Date
        var payload: Payload

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(type, forKey: .type)
            let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            try container.encode(format.format(time), forKey: .time)
            try payload.encode(to: encoder)
        }
    }

    /// - Parameter payload: a type with keys of its own, none of them `type` or `time`.
    /// - Returns: one line, without a line break.
    public static func text(
        _ type: String, _ payload: some Encodable, at time: Date
    ) throws(StopoverError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            let data = try encoder.encode(Line(type: type, time: time, payload: payload))
            return String(decoding: data, as: UTF8.self)
        } catch {
            throw StopoverError(
                .jsonUnwritable, "a line of type \(type) cannot be written as JSON",
                remedy: "This is a fault of Stopover, report it; without `--json` it goes on.",
                cause: "\(error)")
        }
    }

    public static func progress(
        _ snapshot: ProgressSnapshot, at time: Date
    ) throws(StopoverError) -> String {
        try text("progress", snapshot, at: time)
    }

    public static func error(_ error: StopoverError, at time: Date) throws(StopoverError) -> String
    {
        try text("error", ErrorLine(error), at: time)
    }

    private struct ErrorLine: Encodable {
        var code: String
        var message: String
        var remedy: String
        var cause: String?
        var exitStatus: Int32

        init(_ error: StopoverError) {
            code = error.code.rawValue
            message = error.message
            remedy = error.remedy
            cause = error.cause
            exitStatus = error.code.exitStatus.rawValue
        }
    }
}

extension StopoverError.Code {
    public static let jsonUnwritable = Self("STO-OUTPUT-JSON", exit: .failed)
}
