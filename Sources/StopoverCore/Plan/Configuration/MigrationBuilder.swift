/// Makes a ``Migration`` of values that have the right shapes, and reports what does not go
/// together.
struct MigrationBuilder {
    var reader: ConfigReader

    /// nil when something has been reported that leaves a hole; what else is wrong is reported too.
    mutating func migration(_ root: ConfigNode, file: String) -> Migration? {
        let source = root["source"].flatMap { endpoint($0) }
        let target = root["target"].flatMap { endpoint($0) }
        var rules: [CollectionRule] = []
        var excluded: [CollectionPattern] = []
        for entry in root["collections"]?.list ?? [] {
            guard let text = entry["source"]?.text else { continue }
            if text.hasPrefix("!") {
                exclude(entry, text).map { excluded.append($0) }
            } else {
                rule(entry, text).map { rules.append($0) }
            }
        }
        if let list = root["collections"], list.list?.isEmpty == true {
            wrong(
                list, "`collections` is empty",
                "Name what to migrate, or remove the key: then it is every collection.")
        }
        guard let source, let target else { return nil }
        // Only excludes: they leave out of everything.
        if rules.isEmpty { rules = [CollectionRule(source: .everything)] }
        if root["defaults"]?.text == "service" {
            for index in rules.indices { rules[index].mapping.usesServiceDefaults = true }
        }
        return Migration(
            file: file, source: source, target: target, rules: rules, excluded: excluded,
            limits: limits(root["limits"]),
            verification: root["verify"]?.text.flatMap(Migration.Verification.init) ?? .digest)
    }

    mutating func wrong(_ node: ConfigNode, _ message: String, _ remedy: String) {
        wrong(node.position, message, remedy)
    }

    mutating func wrong(_ position: ConfigPosition, _ message: String, _ remedy: String) {
        reader.report(.configValue, at: position, message, remedy: remedy)
    }

    // MARK: Endpoints

    private mutating func endpoint(_ node: ConfigNode) -> Endpoint? {
        var tls: TLSFiles?
        if let files = node["tls"] {
            tls = TLSFiles(
                ca: files["ca"]?.text, certificate: files["cert"]?.text, key: files["key"]?.text,
                serverName: files["server_name"]?.text)
            if (tls?.certificate == nil) != (tls?.key == nil) {
                wrong(files, "`cert` and `key` belong together", "Give both, or neither.")
            }
            if node["uri"]?.address?.isEncrypted == false {
                wrong(
                    files, "`tls` without https",
                    "Write the address with https://, or remove `tls`.")
            }
        }
        let credentials = credentials(node)
        guard let address = node["uri"]?.address else { return nil }
        return Endpoint(
            address: address, credentials: credentials,
            clusterPlan: node["plan"]?.text.flatMap(ClusterPlan.init), tls: tls)
    }

    private mutating func credentials(_ node: ConfigNode) -> Credentials? {
        let user = node["user"]
        let password = node["password"]
        if let token = node["token"] {
            if let other = user ?? password {
                wrong(other, "`token` and `user` are both given", "Keep one of the two ways.")
            }
            return token.secret.map(Credentials.token)
        }
        if let user, user.text?.hasPrefix("${") == true {
            wrong(user, "`user` takes the name itself, not a reference", "Write `user: NAME`.")
            return nil
        }
        switch (user, password) {
        case (let user?, let password?):
            guard let name = user.text, let secret = password.secret else { return nil }
            return .password(user: name, secret)
        case (let user?, nil):
            wrong(user, "`user` without `password`", "Add `password: ${NAME}`.")
        case (nil, let password?): wrong(password, "`password` without `user`", "Add `user: NAME`.")
        case (nil, nil): break
        }
        return nil
    }

    // MARK: Collections

    private mutating func exclude(_ entry: ConfigNode, _ text: String) -> CollectionPattern? {
        for other in entry.entries where other.key != "source" {
            reader.report(
                .configValue, at: other.keyPosition,
                "an entry that begins with ! takes no other key than `source`",
                remedy: "Remove `\(other.key)`.")
        }
        return pattern(entry["source"], String(text.dropFirst()))
    }

    private mutating func pattern(_ node: ConfigNode?, _ text: String) -> CollectionPattern? {
        if let pattern = CollectionPattern(text) { return pattern }
        if let node {
            wrong(
                node, "\(text.quotedForMessage) is no name or pattern of collections",
                "Write `collection`, `database.collection`, or with * and ? for any characters: "
                    + "\"shop.*\".")
        }
        return nil
    }

    private mutating func rule(_ entry: ConfigNode, _ text: String) -> CollectionRule? {
        guard let source = pattern(entry["source"], text) else { return nil }
        var rule = CollectionRule(source: source)
        if let target = entry["target"] {
            guard let destination = destination(target, of: source) else { return nil }
            rule.destination = destination
        }
        rule.mapping = mapping(entry)
        return rule
    }

    private mutating func destination(
        _ node: ConfigNode, of source: CollectionPattern
    ) -> CollectionRule.Destination? {
        guard let text = node.text else { return nil }
        guard let target = CollectionPattern(text), !CollectionPattern.isGlob(target.database)
        else {
            wrong(
                node, "`target` is no name of a collection",
                "Write `collection`, `database.collection`, or `database.*`.")
            return nil
        }
        if target.collection == "*" {
            // `target: "*"` reads as `default.*`, which nobody means.
            guard text.contains(".") else {
                wrong(node, "`target: *` names no database", "Write `database.*`.")
                return nil
            }
            return .database(target.database)
        }
        let name = CollectionName(database: target.database, collection: target.collection)
        guard [name.database, name.collection].allSatisfy(\.isMilvusName) else {
            wrongName(node.position)
            return nil
        }
        guard !source.isGlob else {
            wrong(
                node, "many collections cannot have one target",
                "Write `target: \(target.database).*`, or name the source without * and ?.")
            return nil
        }
        return .collection(name)
    }

    // MARK: Limits

    private func limits(_ node: ConfigNode?) -> MigrationLimits {
        var limits = MigrationLimits()
        guard let node else { return limits }
        if let memory = node["memory"]?.bytes { limits.memory = memory }
        if let spool = node["spool"]?.bytes { limits.spool = spool }
        limits.spoolDirectory = node["spool_dir"]?.text
        limits.spoolPacking = node["spool_packing"]?.text.flatMap(Packing.init) ?? .auto
        limits.cursors = node["cursors"]?.count
        limits.workers = node["workers"]?.count
        limits.page = node["page"]?.bytes
        limits.readRowsPerSecond = node["read_rows_per_second"]?.count
        limits.writeBytesPerSecond = node["write_bytes_per_second"]?.bytes
        if let seconds = node["write_timeout_seconds"]?.count {
            limits.writeTimeout = .seconds(seconds)
        }
        return limits
    }
}
