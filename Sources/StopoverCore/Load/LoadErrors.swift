extension StopoverError {
    static func loadInDoubt(_ error: StopoverError) -> StopoverError {
        unsettled(
            "an insert whose keys the target makes ended without an answer; sending it again "
                + "could double its rows", cause: error.message)
    }

    static func leftInDoubt(_ chunks: Int) -> StopoverError {
        unsettled(
            "the run before this one ended while \(chunks) chunks may have been on their way, and "
                + "the target makes the keys: sending them again could double their rows")
    }

    private static func unsettled(_ message: String, cause: String? = nil) -> StopoverError {
        StopoverError(
            .loadInDoubt, message,
            remedy: "Drop the half-made copy with `stopover cancel JOB --drop`, then run the "
                + "migration again with `indexes: auto`: what can be loaded can be settled.",
            cause: cause)
    }

    static func keysOfAnotherType(_ collection: CollectionName) -> StopoverError {
        StopoverError(
            .loadKeyType,
            "the target answered an insert into \(collection) with keys of another type than the "
                + "collection's",
            remedy:
                "No key that it names can be believed: check that it is a Milvus server. Drop the "
                + "half-made copy with `stopover cancel JOB --drop`.")
    }

    static func rowTooLarge(_ error: StopoverError) -> StopoverError {
        StopoverError(
            .loadRowTooLarge, "one row alone is larger than the target takes in a request",
            remedy: "Raise the target's request limit (proxy.grpc.serverMaxRecvSize), then run "
                + "the same command again.",
            cause: error.message)
    }
}

extension StopoverError.Code {
    public static let loadInDoubt = Self("STO-LOAD-IN-DOUBT", exit: .failed)
    public static let loadKeyType = Self("STO-LOAD-KEY-TYPE", exit: .failed)
    public static let loadRowTooLarge = Self("STO-LOAD-ROW-TOO-LARGE", exit: .failed)
}
