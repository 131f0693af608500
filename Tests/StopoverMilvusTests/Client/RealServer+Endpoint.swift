import StopoverMilvus
import StopoverTesting

extension RealServer {
    var endpoint: MilvusEndpoint { MilvusEndpoint(host: host, port: port) }
}
