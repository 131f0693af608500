/// The address of a cluster: `http://127.0.0.1:19530`, `https://in01-….zillizcloud.com:19530`.
public struct EndpointAddress: Hashable, Sendable, Codable {
    public static let defaultPort = 19530
    /// Serverless clusters of Zilliz Cloud are given out without a port and listen here.
    public static let cloudPort = 443

    public var isEncrypted: Bool
    /// Lower case; an IPv6 address is without its brackets.
    public var host: String
    public var port: Int

    public init(isEncrypted: Bool, host: String, port: Int) {
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
    }

    /// What is wrong with an address. Carries none of its text, which may hold a password.
    public enum Fault: Error, Hashable, Sendable {
        case scheme
        case credentials
        case host
        case port
        case path

        public var sentence: String {
            switch self {
            case .scheme: "the address does not begin with http:// or https://"
            case .credentials: "the address holds a user name or password"
            case .host: "the address has no valid host name"
            case .port: "the port of the address is not a number from 1 to 65535"
            case .path: "the address goes on after the port; a database is named in `collections:`"
            }
        }
    }

    public init(_ text: String) throws(Fault) {
        let lowercase = text.lowercased()
        let rest: Substring
        // Asked first: whatever else is wrong, an address with a password is answered as one.
        if text.contains("@") { throw .credentials }
        if lowercase.hasPrefix("https://") {
            isEncrypted = true
            rest = lowercase.dropFirst(8)
        } else if lowercase.hasPrefix("http://") {
            isEncrypted = false
            rest = lowercase.dropFirst(7)
        } else {
            throw .scheme
        }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard ["", "/"].contains(rest[end...]) else { throw .path }
        let authority = rest[..<end]

        var hostText: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw .host }
            hostText = authority[authority.index(after: authority.startIndex)..<close]
            guard hostText.contains(":"),
                hostText.allSatisfy({ $0.isHexDigit || ":.".contains($0) })
            else { throw .host }
            let after = authority[authority.index(after: close)...]
            if !after.isEmpty {
                guard after.hasPrefix(":") else { throw .host }
                portText = after.dropFirst()
            }
        } else {
            hostText = authority
            if let colon = authority.firstIndex(of: ":") {
                hostText = authority[..<colon]
                portText = authority[authority.index(after: colon)...]
            }
            guard !hostText.isEmpty, hostText.utf8.count <= 253,
                hostText.utf8.allSatisfy(Self.isHostByte)
            else { throw .host }
        }
        host = String(hostText)
        if let portText {
            guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(portText), (1...65535).contains(number)
            else { throw .port }
            port = number
        } else {
            let isCloud = isEncrypted && Self.isZillizHost(host)
            port = isCloud ? Self.cloudPort : Self.defaultPort
        }
    }

    static func isZillizHost(_ host: String) -> Bool {
        [".zillizcloud.com", ".zilliz.com", ".zilliz.com.cn", ".zilliz.cn"]
            .contains { host.hasSuffix($0) }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            || [0x2D, 0x2E, 0x5F].contains(byte)
    }
}

extension EndpointAddress: CustomStringConvertible {
    /// With the port, always: two spellings of one address are one text.
    public var description: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(isEncrypted ? "https" : "http")://\(name):\(port)"
    }
}
