/// A value of migration.yaml that has the shape that its key asks for, and where it stands.
struct ConfigNode: Sendable {
    indirect enum Content: Sendable {
        case text(String)
        case flag(Bool)
        case count(Int)
        case bytes(ByteCount)
        case address(EndpointAddress)
        case secret(SecretReference)
        case list([ConfigNode])
        case mapping([Entry])
        /// Reported already. It stays in the tree, so that its key does not count as left out.
        case invalid
    }

    struct Entry: Sendable {
        var key: String
        var keyPosition: ConfigPosition
        var value: ConfigNode
    }

    var position: ConfigPosition
    var content: Content

    var entries: [Entry] {
        if case .mapping(let entries) = content { entries } else { [] }
    }

    subscript(key: String) -> ConfigNode? { entries.first { $0.key == key }?.value }

    var text: String? { if case .text(let text) = content { text } else { nil } }
    var flag: Bool? { if case .flag(let flag) = content { flag } else { nil } }
    var count: Int? { if case .count(let count) = content { count } else { nil } }
    var bytes: ByteCount? { if case .bytes(let bytes) = content { bytes } else { nil } }
    var list: [ConfigNode]? { if case .list(let list) = content { list } else { nil } }
    var secret: SecretReference? {
        if case .secret(let reference) = content { reference } else { nil }
    }
    var address: EndpointAddress? {
        if case .address(let address) = content { address } else { nil }
    }
}
