import MilvusProto

/// A reply that says within itself whether the call succeeded: gRPC's own status is OK either way.
protocol StatusBearing {
    var status: MilvusStatus { get }
}

extension MilvusStatus: StatusBearing {
    var status: MilvusStatus { self }
}

extension MilvusGetVersionResponse: StatusBearing {}
extension MilvusConnectResponse: StatusBearing {}
extension MilvusAllocTimestampResponse: StatusBearing {}
extension MilvusListDatabasesResponse: StatusBearing {}
extension MilvusShowCollectionsResponse: StatusBearing {}
extension MilvusDescribeCollectionResponse: StatusBearing {}
extension MilvusListAliasesResponse: StatusBearing {}
extension MilvusShowPartitionsResponse: StatusBearing {}
extension MilvusGetLoadStateResponse: StatusBearing {}
extension MilvusGetLoadingProgressResponse: StatusBearing {}
extension MilvusDescribeIndexResponse: StatusBearing {}
extension MilvusQueryResults: StatusBearing {}
extension MilvusMutationResult: StatusBearing {}
extension MilvusFlushResponse: StatusBearing {}
extension MilvusGetFlushStateResponse: StatusBearing {}
