/// A server that answers otherwise than the others do, and why that is no harm.
struct KnownDifference: Sendable {
    var behaviour: String
    var server: ConformanceKind
    var answer: String
    var reason: String

    init(_ behaviour: String, _ server: ConformanceKind, _ answer: String, _ reason: String) {
        self.behaviour = behaviour
        self.server = server
        self.answer = answer
        self.reason = reason
    }

    static let all: [KnownDifference] = [
        KnownDifference(
            "create: the same again", .lite3,
            "refused",
            "we ask whether the name is taken before we create"),
        KnownDifference(
            "create: a name that begins with a digit", .lite3,
            "done",
            "the plan judges names by the stricter rule"),
        KnownDifference(
            "create: a name with a hyphen", .lite3,
            "done",
            "the plan judges names by the stricter rule"),
        KnownDifference(
            "create: a name of 256 bytes", .lite3,
            "in doubt",
            "the plan judges names by the stricter rule"),
        KnownDifference(
            "create: a VARCHAR without max_length", .lite3,
            "done",
            "we always send one"),
        KnownDifference(
            "create: loaded or not before any index", .lite3,
            "loaded",
            "we load after the index, and ask for the state"),
        KnownDifference(
            "describe: a nullable field", .standalone,
            "not nullable",
            "the plan names what 2.3.5 drops, field by field"),
        KnownDifference(
            "describe: a partition key and its partitions", .lite3,
            "tenant, 17 partitions",
            "the number is not compared when a collection is taken over"),
        KnownDifference(
            "describe: Auto ID that the field alone asks for", .lite3,
            "field true, schema true",
            "we read the field"),
        KnownDifference(
            "rename: into another database", .lite3,
            "code 100",
            "staging collections are made in the database of the target"),
        KnownDifference(
            "rename: into a missing database", .lite3,
            "done",
            "staging collections are made in the database of the target"),
        KnownDifference(
            "rename: a loaded collection stays loaded", .lite3,
            "not loaded",
            "nothing is read of a target after its rename without asking for the state"),
        KnownDifference(
            "insert: a key given to Auto ID", .lite3,
            "done",
            "we drop the key column for keys of the target"),
        KnownDifference(
            "insert: an existing key, counted", .lite3,
            "3",
            "so Lite 3 cannot show duplicates; the count of others does"),
        KnownDifference(
            "insert: no rows", .lite3,
            "done, 0 rows",
            "we send no request without rows"),
        KnownDifference(
            "insert: a text of too many bytes and not too many characters", .lite3,
            "done, 2 rows",
            "the plan and the checks of rows count bytes, the stricter rule"),
        KnownDifference(
            "insert: into a missing database", .lite3,
            "refused: database missing, 0 rows",
            "neither is the fence: databases are asked for before"),
        KnownDifference(
            "upsert: a key twice in one request", .lite3,
            "1",
            "a page has each key once"),
        KnownDifference(
            "upsert: a key of another partition", .lite3,
            "1",
            "a row is written to one partition only"),
        KnownDifference(
            "upsert: with a key, on Auto ID", .lite3,
            "done",
            "we upsert no rows whose keys the target makes"),
        KnownDifference(
            "upsert: without a key, on Auto ID", .lite3,
            "done",
            "we upsert no rows whose keys the target makes"),
        KnownDifference(
            "delete: by another field", .twin,
            "refused, 2 rows: 1 2",
            "our server reads expressions about the key alone, and the tool asks by nothing else; filters of users run against real servers (`MappingTests`)"
        ),
        KnownDifference(
            "query: by another field", .twin,
            "refused",
            "our server reads expressions about the key alone, and the tool asks by nothing else; filters of users run against real servers (`MappingTests`)"
        ),
        KnownDifference(
            "query: a field that the collection does not have", .lite3,
            "1 rows: 1",
            "we ask for fields that were described"),
        KnownDifference(
            "query: a limit above the window", .lite3,
            "1 rows: 1",
            "pages are smaller"),
        KnownDifference(
            "query: no expression and no limit", .lite3,
            "1 rows: 1",
            "we send both"),
        KnownDifference(
            "query: count(*) of a named partition without an expression", .lite3,
            "4",
            "we send an expression with a partition"),
        KnownDifference(
            "query: a missing partition", .lite3,
            "0 rows",
            "partitions are those that were described"),
        KnownDifference(
            "query: one dynamic key", .lite3,
            "{\"a\":1}",
            "we ask for the whole `$meta`"),
        KnownDifference(
            "query: `$meta` that was not asked for", .lite3,
            "{}",
            "columns that were not asked for are left out"),
        KnownDifference(
            "keys: INT64_MIN as a literal", .lite3,
            "1 rows: 0",
            "we never write that literal (`KeyExpression`)"),
        KnownDifference(
            "keys: INT64_MAX, read", .standalone,
            "0 rows",
            "the count has it, so that it is named at the end, exit code 3"),
        KnownDifference(
            "index: the same again", .lite3,
            "refused: index exists",
            "an index that is there under the same terms is a success to us"),
        KnownDifference(
            "load: without an index", .lite3,
            "done",
            "we make the index first"),
        KnownDifference(
            "load: state of a missing partition", .lite3,
            "loaded",
            "partitions are those that were described"),
        KnownDifference(
            "flush: a missing collection", .lite3,
            "done",
            "a flush proves nothing by itself: the count does"),
        KnownDifference(
            "statistics: before a flush", .lite3,
            "2",
            "we count by count(*)"),
        KnownDifference(
            "statistics: after a flush, a delete and a flush", .lite3,
            "2, 2 counted",
            "we count by count(*)"),
        KnownDifference(
            "partitions: in the order in which they were made", .lite3,
            "_default a b",
            "we compare them as sets"),
        KnownDifference(
            "partitions: the same again", .lite3,
            "refused",
            "we ask which there are"),
        KnownDifference(
            "databases: a name that begins with a digit", .lite3,
            "done",
            "the plan judges names by the stricter rule"),
        KnownDifference(
            "databases: a missing one, described", .lite3,
            "refused: database missing",
            "we ask ListDatabases"),
        KnownDifference(
            "aliases: described with the collection", .lite3,
            "[]",
            "we ask ListAliases"),
    ]
}
