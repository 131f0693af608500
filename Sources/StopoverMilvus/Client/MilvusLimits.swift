/// The limits of the client, by name.
public enum MilvusLimits {
    /// Bytes of a reply that we take. Servers send up to 256 MiB (64 MiB on 2.3.5); the default
    /// of gRPC clients, 4 MiB, would refuse an ordinary page.
    public static let replyBytes = 512 << 20
    /// An HTTP/2 frame that we take. Below 1 MiB the throughput of large replies falls by up to
    /// four times (performance.md).
    public static let frameBytes = 1 << 20
    /// Bytes taken from a socket at once.
    static let receiveBytes = 1 << 20
    /// Of a frame of a reply that has begun, so many bytes or more are read to where the page keeps them.
    static let readApartFrom = 64 << 10
    /// Bytes read for a frame's header and what stands before the page in it, where large frames come.
    static let headReadBytes = 4 << 10
    /// Bytes of a request that are handed on at once.
    static let pieceBytes = 512 << 10
    /// A run of a request's bytes that is at least so long is not copied to be sent.
    static let lentFrom = 16 << 10
    /// Bytes of a request that wait for the socket before more are handed on.
    static let bytesOnTheWay = 2 << 20
    /// Bytes of a reply's headers that we take.
    static let headerBytes = 64 << 10
    /// Bytes under way to us on one connection before the server waits for us to read.
    public static let windowBytes = 16 << 20
    /// Connections to one cluster: two give the best figure on two cores (performance.md).
    public static let connections = 2

    /// Between two tries to connect, from the first to the longest.
    public static let firstReconnectDelay = Duration.milliseconds(100)
    public static let longestReconnectDelay = Duration.seconds(5)
    /// From a connection to the server's first frame.
    public static let longestSilence = Duration.seconds(10)
    /// A connection that is silent for this long while a call waits is asked whether it lives.
    /// Not shorter: gRPC's C core (Milvus Lite 3) hangs up on clients that ask more often than
    /// every five minutes.
    public static let keepaliveInterval = Duration.seconds(310)
    public static let keepaliveTimeout = Duration.seconds(20)

    /// Bytes of what a server says that an error repeats.
    static let reasonLength = 500
}

/// What a call costs the server, and so how long it may take.
public enum CallClass: Sendable, Hashable {
    case control
    case query
    case insert
    case flush
    case load

    public var deadline: Duration {
        switch self {
        case .control: .seconds(30)
        case .query: .seconds(120)
        case .insert: .seconds(60)
        case .flush: .seconds(60)
        case .load: .seconds(600)
        }
    }
}
