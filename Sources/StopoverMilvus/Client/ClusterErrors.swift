import StopoverCore

extension StopoverError.Code {
    /// Nothing answers at the address, or the connection cannot be made.
    public static let clusterUnreachable = Self("STO-CLUSTER-UNREACHABLE", exit: .failed)
    public static let clusterTLS = Self("STO-CLUSTER-TLS", exit: .failed)
    public static let clusterUnauthenticated = Self("STO-CLUSTER-UNAUTHENTICATED", exit: .failed)
    public static let clusterBusy = Self("STO-CLUSTER-BUSY", exit: .failed)
    public static let clusterDiskQuota = Self("STO-CLUSTER-DISK-QUOTA", exit: .failed)
    public static let clusterWritesDenied = Self("STO-CLUSTER-WRITES-DENIED", exit: .failed)
    /// The request left and no certain answer came: it may or may not have been carried out.
    public static let clusterNoAnswer = Self("STO-CLUSTER-NO-ANSWER", exit: .failed)
    /// The server answered what the protocol does not allow.
    public static let clusterContract = Self("STO-CLUSTER-CONTRACT", exit: .failed)
    public static let databaseMissing = Self("STO-DATABASE-MISSING", exit: .failed)
    public static let collectionExists = Self("STO-COLLECTION-EXISTS", exit: .failed)
    public static let collectionNotLoaded = Self("STO-COLLECTION-NOT-LOADED", exit: .failed)
    public static let collectionExternal = Self("STO-COLLECTION-EXTERNAL", exit: .refused)
    public static let partitionMissing = Self("STO-PARTITION-MISSING", exit: .failed)
    public static let indexMissing = Self("STO-INDEX-MISSING", exit: .failed)
    public static let indexExists = Self("STO-INDEX-EXISTS", exit: .failed)
    public static let requestRefused = Self("STO-REQUEST-REFUSED", exit: .failed)
    public static let requestTooLarge = Self("STO-REQUEST-TOO-LARGE", exit: .failed)
}

/// The sentence and the remedy of each code, for the one place that turns verdicts into errors.
enum ClusterErrorText {
    static func sentence(_ code: StopoverError.Code) -> String {
        switch code {
        case .clusterUnreachable: "cannot be reached"
        case .clusterUnauthenticated: "does not accept the credentials"
        case .clusterPermission: "does not permit this to the user of these credentials"
        case .clusterRateLimited: "is limiting the rate of requests"
        case .clusterBusy: "is not ready or busy"
        case .clusterMemoryQuota: "has no memory left for this"
        case .clusterDiskQuota: "has reached its disk quota"
        case .clusterWritesDenied: "denies writes for now"
        case .clusterNoAnswer: "gave no certain answer"
        case .clusterUnimplemented: "does not know this call"
        case .databaseMissing: "has no such database"
        case .collectionMissing: "has no such collection"
        case .collectionExists: "already has a collection of this name"
        case .collectionNotLoaded: "has not loaded the collection"
        case .partitionMissing: "has no such partition"
        case .indexMissing: "has no index on the field"
        case .indexExists: "already has an index on the field"
        case .pageTooLarge: "refuses to answer that many rows at once"
        case .requestTooLarge: "refuses a request of that size"
        default: "refused"
        }
    }

    static func remedy(_ code: StopoverError.Code) -> String {
        switch code {
        case .clusterUnreachable:
            "Check the address, the port, http or https, and that the server runs; a job waits "
                + "and goes on by itself."
        case .clusterUnauthenticated:
            "Check the token, or the user and password, of this side in migration.yaml."
        case .clusterPermission:
            "Grant it to a role of the user (Docs/rights.md lists all that a migration needs), then "
                + "run the same command again."
        case .clusterRateLimited:
            "Nothing to do: it is tried again. Raise the cluster's rate limits to go faster."
        case .clusterBusy: "Nothing to do: it is tried again until the server is ready."
        case .clusterMemoryQuota:
            "Free memory on the cluster or add to it: release collections, raise the quota. It is "
                + "tried again meanwhile."
        case .clusterDiskQuota:
            "Free disk space on the cluster or raise its disk quota. It is tried again meanwhile."
        case .clusterWritesDenied:
            "An administrator has to allow writes again (quota, or a forced denial). It is tried "
                + "again meanwhile."
        case .clusterNoAnswer:
            "Nothing to do: the job finds out what happened before it sends anything again."
        case .clusterUnimplemented:
            "This server cannot do it; choose one of a version that the README lists."
        case .databaseMissing: "Check the database name; `stopover inspect` lists what is there."
        case .collectionMissing:
            "Check the collection name; `stopover inspect` lists what is there."
        case .collectionExists: "Choose another target name, or drop or rename that collection."
        case .collectionNotLoaded:
            "Load the collection, all of its partitions, then run the same command again."
        case .partitionMissing:
            "Check the partition name; if it was dropped meanwhile, plan the migration again."
        case .indexMissing: "Create an index on the field first."
        case .indexExists: "Drop that index first, or keep it."
        case .pageTooLarge, .requestTooLarge: "Nothing to do: it is tried with fewer rows."
        default: "See what the server says, correct it, then run the same command again."
        }
    }
}
