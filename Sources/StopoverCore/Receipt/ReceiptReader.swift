import Foundation

/// Reads a receipt, checking the chain as it goes: what it has handed out stands only when the end was
/// reached.
public final class ReceiptReader {
    private let lines: LineReader
    private var chain: Receipt.Chain
    private var isAtEnd = false
    public let head: Receipt.Head
    public private(set) var end: Receipt.End?
    /// Once the end was read.
    public private(set) var seal = ""

    /// Throws `STO-RECEIPT-DAMAGED`, and `STO-LEDGER-NEWER` for a later version's.
    public init(_ path: String) throws {
        lines = try LineReader(path)
        let line = try lines.next() ?? []
        let text = try ReceiptReader.inside(line, Receipt.headStart, Receipt.headEnd, 1)
        chain = Receipt.Chain(head: text)
        struct Format: Decodable { var format: Int }
        let format = (try? Receipt.decode(Format.self, text))?.format ?? 0
        guard format <= Receipt.format else {
            throw StopoverError(
                .ledgerNewer, "the receipt was written by a later version of stopover",
                remedy: "Verify it with that version.")
        }
        do { head = try Receipt.decode(Receipt.Head.self, text) } catch {
            throw StopoverError.receiptDamaged(1, "its head cannot be read")
        }
    }

    /// The next chunk; nil at the end, when the seal was found right.
    public func next() throws -> Receipt.Chunk? {
        guard !isAtEnd else { return nil }
        guard var line = try lines.next() else {
            throw StopoverError.receiptDamaged(lines.number, "it ends early")
        }
        if line.starts(with: Receipt.endStart) {
            try finish(line)
            return nil
        }
        guard chunkLines == 0 || !isLast else {
            throw StopoverError.receiptDamaged(lines.number, "the line before has no comma")
        }
        isLast = line.last != UInt8(ascii: ",")
        if !isLast { line.removeLast() }
        let text = try linked(line)
        do { return try Receipt.decode(Receipt.Chunk.self, text) } catch {
            throw StopoverError.receiptDamaged(lines.number, "its chunk cannot be read")
        }
    }

    /// Whether the line before had no comma behind it: only the end may follow.
    private var isLast = true
    private var chunkLines = 0

    private func linked(_ line: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        chunkLines += 1
        let start = line.startIndex + Receipt.linkStart.count
        let digits = start + Receipt.hexDigits
        guard line.count > Receipt.linkStart.count + Receipt.hexDigits,
            line.starts(with: Receipt.linkStart)
        else { throw StopoverError.receiptDamaged(lines.number, "it is no chunk's") }
        let text = try ReceiptReader.inside(
            line[digits...], Receipt.chunkStart, [UInt8(ascii: "}")], lines.number)
        chain.add(text)
        guard line[start..<digits].elementsEqual(chain.hex.utf8) else {
            throw StopoverError.receiptDamaged(lines.number, "it does not match its link")
        }
        return text
    }

    private func finish(_ line: ArraySlice<UInt8>) throws {
        let tail = Receipt.sealStart.count + Receipt.hexDigits + Receipt.sealEnd.count
        guard isLast, line.count > Receipt.endStart.count + tail else {
            throw StopoverError.receiptDamaged(lines.number, "it does not follow the chunks")
        }
        let text = line.dropFirst(Receipt.endStart.count).dropLast(tail)
        chain.add(text)
        let expected = Receipt.sealStart + Array(chain.hex.utf8) + Receipt.sealEnd
        guard line.suffix(tail).elementsEqual(expected) else {
            throw StopoverError.receiptDamaged(lines.number, "it does not match its seal")
        }
        guard try lines.next() == nil, lines.endedWithBreak else {
            throw StopoverError.receiptDamaged(lines.number, "something follows its seal")
        }
        do { end = try Receipt.decode(Receipt.End.self, text) } catch {
            throw StopoverError.receiptDamaged(lines.number, "its end cannot be read")
        }
        guard end?.chunks == Int64(chunkLines) else {
            throw StopoverError.receiptDamaged(lines.number, "it has other chunks than it says")
        }
        seal = chain.hex
        isAtEnd = true
    }

    private static func inside(
        _ line: ArraySlice<UInt8>, _ before: [UInt8], _ behind: [UInt8], _ number: Int
    ) throws(StopoverError) -> ArraySlice<UInt8> {
        guard line.count >= before.count + behind.count, line.starts(with: before),
            line.suffix(behind.count).elementsEqual(behind)
        else { throw .receiptDamaged(number, "it is not laid out as a receipt") }
        return line.dropFirst(before.count).dropLast(behind.count)
    }
}

/// Lines of a file, one in memory at a time.
private final class LineReader {
    private static let bufferBytes = 1 << 20
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// Of the line that was read last, from 1.
    private(set) var number = 0
    private(set) var endedWithBreak = false

    init(_ path: String) throws(StopoverError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw StopoverError(
                .receiptFile, "\(path) cannot be read: \(String(cString: strerror(errno)))",
                remedy: "Name a receipt.json, or a job.")
        }
        handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    }

    /// Without its line break; nil at the end.
    func next() throws -> ArraySlice<UInt8>? {
        number += 1
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { position = end + 1 }
                endedWithBreak = true
                return buffer[position..<end]
            }
            guard !isAtEnd else {
                guard position < buffer.count else { return nil }
                defer { position = buffer.count }
                endedWithBreak = false
                return buffer[position...]
            }
            guard buffer.count - position < Receipt.longestLine else {
                throw StopoverError.receiptDamaged(number, "it is too long")
            }
            buffer.removeFirst(position)
            position = 0
            searched = buffer.count
            let more = try handle.read(upToCount: LineReader.bufferBytes) ?? Data()
            isAtEnd = more.isEmpty
            buffer += more
        }
    }
}
