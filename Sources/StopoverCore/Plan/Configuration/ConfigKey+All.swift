extension ConfigKey {
    /// Every key of migration.yaml, in the order in which it is documented. Keys that this version
    /// knows but cannot carry out are here too; ``NotYet`` lists them.
    public static let all: [ConfigKey] =
        endpoint("source", "The cluster to read from. Nothing is written to it.")
        + endpoint("target", unless: "new", "The cluster to write to.") + newTarget + collections
        + mapping
        + limits + [
            ConfigKey(
                "verify", .choice(of: Migration.Verification.self), default: "digest",
                "How thoroughly a finished job is checked."),
            ConfigKey(
                "defaults", .choice(["faithful", "service"]), default: "faithful",
                "What holds where an entry of `collections` says nothing: as the source is, or as "
                    + "the Zilliz Cloud console proposes (scalar fields nullable, but the key and "
                    + "the partition key; dynamic fields on; 1 shard)."),
        ]

    private static func endpoint(
        _ side: String, unless substitute: String? = nil, _ summary: String
    ) -> [ConfigKey] {
        [
            ConfigKey(side, .mapping, required: true, summary),
            ConfigKey(
                "\(side).uri", .address, required: true, unless: substitute,
                "Address: http or https, host, port (19530 when left out; 443 for a Zilliz Cloud "
                    + "host). Never a password."),
            ConfigKey(
                "\(side).token", .secret,
                "API key or `user:password`, by reference. Instead of `user` and `password`."),
            ConfigKey("\(side).user", .text, "User name. Together with `password`."),
            ConfigKey("\(side).password", .secret, "Password, by reference."),
            ConfigKey(
                "\(side).plan", .choice(of: ClusterPlan.self),
                default: "guessed from the host name",
                "The cluster's plan."),
            ConfigKey("\(side).tls", .mapping, "Files for TLS; only with https."),
            ConfigKey(
                "\(side).tls.ca", .path,
                "Certificates (PEM) to verify the server with, instead of the system's."),
            ConfigKey("\(side).tls.cert", .path, "Our certificate (PEM), for mutual TLS."),
            ConfigKey("\(side).tls.key", .path, "The key (PEM) of `cert`."),
            ConfigKey(
                "\(side).tls.server_name", .text,
                "Name to expect in the server's certificate, when it is not the host's."),
        ]
    }

    private static let newTarget = [
        ConfigKey("target.new", .mapping, "Makes the target cluster, instead of `uri`."),
        ConfigKey("target.new.lite", .path, "Starts an embedded Milvus Lite in this directory."),
        ConfigKey("target.new.zilliz", .mapping, "Creates a cluster on Zilliz Cloud."),
        ConfigKey("target.new.zilliz.project", .text, required: true, "Id of the project."),
        ConfigKey("target.new.zilliz.region", .text, required: true, "Id of the region."),
        ConfigKey(
            "target.new.zilliz.plan", .choice(["serverless", "dedicated"]), required: true,
            "Plan of the cluster."),
        ConfigKey("target.new.zilliz.cu_type", .text, "Type of compute unit."),
        ConfigKey("target.new.zilliz.cu_size", .count(1...256), "Number of compute units."),
        ConfigKey("target.new.zilliz.name", .text, required: true, "Name of the cluster."),
    ]

    private static let collections = [
        ConfigKey(
            "collections", .entries, default: "every collection of every database",
            "What to migrate. The first entry that matches a collection decides; an entry that "
                + "begins with ! leaves out what it matches, wherever it stands."),
        ConfigKey(
            "collections[].source", .text, required: true,
            "Name or pattern: `articles` (of the database default), `shop.items`, `\"shop.*\"`, "
                + "`\"!shop.tmp_*\"`."),
        ConfigKey(
            "collections[].target", .text, default: "the source's name",
            "Another name, another database (created when missing), or `library.*`: the same "
                + "names in another database."),
        ConfigKey(
            "collections[].filter", .text,
            "Milvus expression over fields of the source: only the rows that it matches."),
        ConfigKey(
            "collections[].auto_id", .choice(of: Mapping.AutoID.self), default: "keep",
            "Keep the source's primary keys, or let the target make new ones."),
        ConfigKey(
            "collections[].keep_key_as", .text,
            "With `auto_id: regenerate`: a new field of the target that keeps the source's key."),
        ConfigKey(
            "collections[].dynamic_fields", .choice(["keep", "drop"]), default: "keep",
            "Keys of rows that no field names. With `drop`, those of `promote` still become "
                + "fields."),
        ConfigKey(
            "collections[].promote", .mapping, "Dynamic keys that become fields of their own."),
        ConfigKey(
            "collections[].partition_key", .text, default: "as the source has it",
            "The field to partition by, INT64 or VARCHAR and not nullable: a field by the name "
                + "that it has on the source, or a promoted key."),
        ConfigKey(
            "collections[].shards", .count(1...CollectionRule.mostShards),
            default: "1 per 100 million rows", "Shards of the target's collection."),
        ConfigKey("collections[].fields", .mapping, "Fields that are not taken over as they are."),
        ConfigKey(
            "collections[].partitions", .either(.choice(["keep"]), .texts), default: "keep",
            "All partitions, or only these."),
        ConfigKey(
            "collections[].indexes", .choice(of: Mapping.Indexes.self), default: "auto",
            "`auto`: AUTOINDEX on every vector field, with the source's metric. `copy`: the "
                + "source's indexes with all their parameters, those of scalar fields too."),
        ConfigKey(
            "collections[].load", .flag, default: "false",
            "Load the collection when it is complete. It cannot be searched before."),
        ConfigKey(
            "collections[].on_existing", .choice(of: Mapping.OnExisting.self), default: "refuse",
            "When the target has a collection of this name."),
        ConfigKey(
            "collections[].on_bad_row", .choice(of: Mapping.OnBadRow.self), default: "stop",
            "When a row does not fit the target: end the run, or keep the row in the job's "
                + "quarantine, with the reason, and go on. It may change from run to run."),
    ]

    private static let mapping = [
        ConfigKey(
            "collections[].fields.*", .either(.choice(["drop"]), .mapping),
            "A field by the name that it has on the source: `drop`, or what to change of it."),
        ConfigKey(
            "collections[].fields.*.rename", .text, default: "the source's name",
            "The field's name on the target."),
        ConfigKey(
            "collections[].fields.*.nullable", .flag, default: "as the source has it",
            "Whether the field may be null. With `false`, nulls become the value of `default`."),
        ConfigKey(
            "collections[].fields.*.default", .anyScalar, default: "as the source has it",
            "The value for rows without one: for TIMESTAMPTZ an instant with its offset from UTC, "
                + "for GEOMETRY well-known text."),
        ConfigKey(
            "collections[].fields.*.max_length", .count(1...TargetRules.varcharLimit),
            default: "as the source has it", "Longest text of a VARCHAR, in bytes."),
        ConfigKey("collections[].promote.*", .mapping, "A dynamic key by its name."),
        ConfigKey(
            "collections[].promote.*.type",
            .choice(promotedTypes.map(\.configName)), required: true, "Type of the field."),
        ConfigKey(
            "collections[].promote.*.max_length", .count(1...TargetRules.varcharLimit),
            "Longest text, in bytes. A `varchar` needs it, no other type takes it."),
        ConfigKey(
            "collections[].promote.*.nullable", .flag, default: "true",
            "Whether rows may lack the key."),
    ]

    /// What a value of JSON can become.
    static let promotedTypes: [DataType] = [
        .bool, .int8, .int16, .int32, .int64, .float, .double, .varchar, .json,
    ]

    private static let limits = [
        ConfigKey("limits", .mapping, "Bounds. They may change from run to run."),
        ConfigKey(
            "limits.memory", .bytes(atLeast: MigrationLimits.leastMemory), default: "1GiB",
            "Memory for rows on their way."),
        ConfigKey(
            "limits.spool", .bytes(atLeast: MigrationLimits.leastSpool), default: "20GiB",
            "Disk for rows between the clusters."),
        ConfigKey(
            "limits.spool_dir", .path, default: "the job directory", "Where that disk is."),
        ConfigKey(
            "limits.spool_packing", .choice(of: Packing.self), default: "auto",
            "Whether rows are compressed on that disk. `auto`: where they rest there, because the "
                + "target is the slower side, or the disk is slow."),
        ConfigKey(
            "limits.cursors", .count(1...MigrationLimits.mostWorkers), default: "16",
            "Ranges of keys that are read at once, at most. How many help is found out."),
        ConfigKey(
            "limits.workers", .count(1...MigrationLimits.mostWorkers), default: "16",
            "Requests to the target at once, at most. How many help is found out."),
        ConfigKey(
            "limits.page", .bytes(atLeast: MigrationLimits.leastPage), default: "8MiB",
            "What one page, and so one chunk and one insert, is meant to hold."),
        ConfigKey(
            "limits.write_timeout_seconds", .count(1...MigrationLimits.mostWriteTimeoutSeconds),
            default: "60", "How long one write to the target may take."),
        ConfigKey(
            "limits.read_rows_per_second", .count(MigrationLimits.leastReadRowsPerSecond...Int.max),
            default: "no bound", "The source is not read faster than this."),
        ConfigKey(
            "limits.write_bytes_per_second",
            .bytes(atLeast: MigrationLimits.leastWriteBytesPerSecond),
            default: "no bound", "The target is not written to faster than this."),
    ]
}

extension DataType {
    /// As migration.yaml writes it.
    var configName: String { milvusName.lowercased() }
}
