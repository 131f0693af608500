import Yams

extension ConfigReader {
    /// A single value by the shape that its key asks for; nil when it has been reported as wrong.
    mutating func content(
        of scalar: Node.Scalar, as shape: ConfigKey.Shape, of key: ConfigKey,
        at position: ConfigPosition
    ) -> ConfigNode.Content? {
        let text = scalar.string
        if let refusal = NotYet.refusal(of: key, value: text.lowercased()) {
            notYet("`\(key.name): \(text.lowercased())`", refusal, at: position)
            return nil
        }
        switch shape {
        case .secret: return secret(text, of: key, at: position)
        case .address: return address(text, of: key, at: position)
        case .text:
            return text.allSatisfy(\.isWhitespace)
                ? wrong("is empty", key, position) : .text(text)
        case .anyScalar:
            // The empty text is a value like any other; a value that was forgotten is null.
            return .text(text)
        case .path:
            if text.isEmpty { return wrong("is empty", key, position) }
            if text.hasPrefix("~") {
                return wrong("begins with ~, which only a shell expands", key, position)
            }
            return .text(relativeToFile(text))
        case .choice(let values):
            return values.contains(text) ? .text(text) : wrong(text, wants: shape, key, position)
        case .flag:
            if scalar.style == .plain, ["true", "false"].contains(text.lowercased()) {
                return .flag(text.lowercased() == "true")
            }
            return wrong(text, wants: shape, key, position)
        case .count(let range):
            if let count = Int(text.filter { $0 != "_" }), range.contains(count) {
                return .count(count)
            }
            return wrong(text, wants: shape, key, position)
        case .bytes(let least):
            if let bytes = ByteCount(text), bytes >= least { return .bytes(bytes) }
            return wrong(text, wants: shape, key, position)
        case .mapping, .entries, .texts, .either: return nil
        }
    }

    private mutating func wrong(
        _ fault: String, _ key: ConfigKey, _ position: ConfigPosition
    ) -> ConfigNode.Content? {
        report(
            .configValue, at: position, "the value of \(key.shown) \(fault)",
            remedy: "It wants \(key.shape).")
        return nil
    }

    private mutating func wrong(
        _ text: String, wants shape: ConfigKey.Shape, _ key: ConfigKey, _ position: ConfigPosition
    ) -> ConfigNode.Content? {
        var remedy = "It wants \(key.shape)."
        if case .choice(let values) = shape, let near = NearestName.of(text, among: values) {
            remedy = "Did you mean `\(key.name): \(near)`? " + remedy
        }
        report(
            .configValue, at: position, "\(text.quotedForMessage) is no value of \(key.shown)",
            remedy: remedy)
        return nil
    }

    /// Whatever is no reference may be the secret itself: nothing of it is repeated.
    private mutating func secret(
        _ text: String, of key: ConfigKey, at position: ConfigPosition
    ) -> ConfigNode.Content? {
        if let reference = SecretReference(text) {
            if case .file(let path) = reference {
                return path.hasPrefix("~")
                    ? wrong(
                        "names a path that begins with ~, which only a shell expands", key, position
                    )
                    : .secret(.file(relativeToFile(path)))
            }
            return .secret(reference)
        }
        let side = key.parent.uppercased()
        report(
            .configLiteralSecret, at: position,
            "\(key.shown) must be a reference to a secret, and this is none; it may be the secret "
                + "itself, which does not belong in a file",
            remedy:
                "Write `\(key.name): ${\(side)_\(key.name.uppercased())}` and set that variable; "
                + "or `\(key.name): file:PATH`. If it was a secret, replace it on the cluster too.")
        return nil
    }

    private mutating func address(
        _ text: String, of key: ConfigKey, at position: ConfigPosition
    ) -> ConfigNode.Content? {
        do {
            return .address(try EndpointAddress(text))
        } catch .credentials {
            let side = key.parent.uppercased()
            report(
                .configLiteralSecret, at: position,
                "the address in \(key.shown) holds a user name or a password",
                remedy: "Write the address alone, and beside it `user: NAME` and "
                    + "`password: ${\(side)_PASSWORD}`, or `token: ${\(side)_TOKEN}`.")
        } catch {
            report(
                .configValue, at: position, "\(error.sentence) (\(key.shown))",
                remedy: "It wants \(key.shape).")
        }
        return nil
    }

    /// A file means the same wherever the command is started.
    private func relativeToFile(_ path: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return String(file[...slash]) + path
    }
}
