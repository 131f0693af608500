import StopoverCore

/// VARCHAR and TEXT: a length in bytes, and UTF-8, without which a Go server cannot even parse the
/// request (protobuf strings).
struct TextCheck: ValueCheck {
    /// nil when there is no limit.
    let maximumBytes: Int?

    mutating func fault(next cursor: inout ValueCursor) throws(WireError) -> String? {
        fault(of: try cursor.record())
    }

    func fault(of text: UnsafeBufferPointer<UInt8>) -> String? {
        if let maximumBytes, text.count > maximumBytes {
            return "is \(text.count.grouped) bytes long, of at most \(maximumBytes.grouped)"
        }
        return TextCheck.isUTF8(text) ? nil : "is not UTF-8"
    }

    static func isUTF8(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        isASCII(text) || (try? UTF8Span(validating: text.span)) != nil
    }

    /// Most texts are, and it is tested 8 bytes at a time.
    private static func isASCII(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let bytes = UnsafeRawBufferPointer(text)
        var position = 0
        var all: UInt64 = 0
        while position + 8 <= bytes.count {
            all |= bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        for offset in position..<bytes.count { all |= UInt64(bytes[offset]) }
        return all & 0x8080_8080_8080_8080 == 0
    }
}

/// JSON columns, and the column of dynamic fields, whose rows must be objects.
struct JSONCheck: ValueCheck {
    /// `common.JSON.maxLength` of Go servers, in bytes. A server may be configured to take more, but
    /// does not say so.
    static let maximumBytes = 65_536

    let isDynamic: Bool
    private var walk = JSONWalk()

    init(isDynamic: Bool) { self.isDynamic = isDynamic }

    mutating func fault(next cursor: inout ValueCursor) throws(WireError) -> String? {
        let json = try cursor.record()
        guard json.count <= JSONCheck.maximumBytes else {
            let maximum = JSONCheck.maximumBytes.grouped
            return "is \(json.count.grouped) bytes long, of at most \(maximum)"
        }
        guard TextCheck.isUTF8(json) else { return "is not UTF-8" }
        do throws(JSONFault) {
            guard isDynamic else {
                try walk.check(json)
                return nil
            }
            // Go servers: `cannot set json key to: $meta`.
            return try namesDynamicField(json)
                ? "has a key \(CollectionSchema.dynamicFieldName), which servers reserve" : nil
        } catch {
            return error.reason
        }
    }

    /// Whether an object has a key `$meta`, written without escapes.
    private mutating func namesDynamicField(
        _ json: UnsafeBufferPointer<UInt8>
    ) throws(JSONFault) -> Bool {
        var isNamed = false
        try walk.begin(json)
        while let member = try walk.next() {
            isNamed =
                isNamed || json[member.key].elementsEqual(CollectionSchema.dynamicFieldName.utf8)
        }
        return isNamed
    }
}

/// ARRAY rows: how many elements, and each of them where it can be wrong. NaN is taken by Go servers
/// within arrays, so it passes.
struct ArrayCheck: ValueCheck {
    /// `oneof` of the ScalarField that must hold the elements.
    private let elementField: UInt64
    private let layout: ValueLayout
    private let maximumCount: Int?
    private var integers: IntegerCheck?
    private let texts: TextCheck?

    /// nil when no array can have such elements.
    init?(_ field: FieldSchema) {
        guard let element = field.elementType, let number = FieldLayout.elementField(element),
            let layout = FieldLayout.layout(type: element, dataField: number, dimension: nil)
        else { return nil }
        elementField = UInt64(number)
        self.layout = layout
        maximumCount = field.typeParams["max_capacity"].flatMap { Int($0) }
        integers =
            [.int8, .int16, .int32].contains(element) ? IntegerCheck(type: element) : nil
        texts = layout == .records ? TextCheck(maximumBytes: field.maximumBytes) : nil
    }

    mutating func fault(next cursor: inout ValueCursor) throws(WireError) -> String? {
        var row = ValueCursor(try cursor.record())
        guard let (field, wire) = try row.tag() else {
            // Inserting one kills 2.3.5, and 2.5 and later refuse it; pages are read without them.
            return "does not say the type of its elements"
        }
        guard field == elementField, wire == .bytes else {
            return "has elements of another type (field \(field))"
        }
        var elements = ValueCursor(try row.delimited())
        guard row.isAtEnd else { throw WireError("bytes behind an array's elements") }
        var count = 0
        var reason: String?
        while let (field, wire) = try elements.tag() {
            guard field == 1 else {
                try elements.skip(wire)
                continue
            }
            try take(&elements, wire, &count, &reason)
        }
        if let maximumCount, count > maximumCount {
            return "has \(count.grouped) elements, of at most \(maximumCount.grouped)"
        }
        return reason
    }

    /// One element, or a packed run of them; `reason` keeps the first that does not fit.
    private mutating func take(
        _ elements: inout ValueCursor, _ wire: WireType, _ count: inout Int,
        _ reason: inout String?
    ) throws(WireError) {
        switch (layout, wire) {
        case (.records, .bytes):
            let text = try elements.delimited()
            if reason == nil, let fault = texts?.fault(of: text) {
                reason = "\(fault) (element \(count.grouped), counted from 0)"
            }
            count += 1
        case (.varints, .varint): try number(&elements, &count, &reason)
        case (.varints, .bytes):
            var run = ValueCursor(try elements.delimited())
            while !run.isAtEnd { try number(&run, &count, &reason) }
        case (.fixed(let width), .bytes):
            let run = try elements.delimited()
            guard run.count.isMultiple(of: width) else {
                throw WireError("\(run.count) bytes are no multiple of \(width)")
            }
            count += run.count / width
        case (.fixed(4), .fixed32), (.fixed(8), .fixed64):
            try elements.skip(wire)
            count += 1
        default: throw WireError("elements of another kind")
        }
    }

    private mutating func number(
        _ run: inout ValueCursor, _ count: inout Int, _ reason: inout String?
    ) throws(WireError) {
        if integers != nil {
            if let fault = try integers?.fault(next: &run), reason == nil {
                reason = "\(fault) (element \(count.grouped), counted from 0)"
            }
        } else {
            _ = try run.varint()
        }
        count += 1
    }
}
