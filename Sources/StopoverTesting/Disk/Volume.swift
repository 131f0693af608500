/// What a volume holds, and what of it would be there after a power cut: bytes are durable by a sync
/// of their file, names by a sync of their directory. A value: a copy is a snapshot.
struct Volume: Sendable {
    struct File: Sendable {
        var bytes: [UInt8] = []
        var durable: [UInt8] = []
        /// A sync of it failed: the kernel has let go of the bytes, and a later one means nothing.
        var isGivenUp = false
    }

    /// A change of names that no sync of the directory followed.
    private enum Change: Sendable {
        case link(String, Int)
        case unlink(String)
        case rename(String, String, Int)
    }

    /// Bytes of files that it has room for.
    var capacity = Int.max
    private(set) var files: [Int: File] = [:]
    private(set) var names: [String: Int] = [:]
    private var durableNames: [String: Int] = [:]
    private var changes: [Change] = []
    private var next = 0

    mutating func create(_ path: String) -> Int? {
        guard names[path] == nil else { return nil }
        next += 1
        files[next] = File()
        names[path] = next
        changes.append(.link(path, next))
        return next
    }

    /// Whether a file of `byteCount` has its place beside the others.
    func fits(_ byteCount: Int, of file: Int) -> Bool {
        let others = names.values.filter { $0 != file }
        return others.reduce(byteCount) { $0 + (files[$1]?.bytes.count ?? 0) } <= capacity
    }

    mutating func write(_ bytes: some Collection<UInt8>, to file: Int) {
        files[file]?.bytes = Array(bytes)
    }

    mutating func sync(_ file: Int) {
        guard let bytes = files[file]?.bytes else { return }
        files[file]?.durable = bytes
    }

    mutating func giveUp(_ file: Int) { files[file]?.isGivenUp = true }

    mutating func rename(_ path: String, to newPath: String) -> Bool {
        guard let file = names.removeValue(forKey: path) else { return false }
        names[newPath] = file
        changes.append(.rename(path, newPath, file))
        return true
    }

    mutating func remove(_ path: String) {
        guard names.removeValue(forKey: path) != nil else { return }
        changes.append(.unlink(path))
    }

    mutating func syncDirectory(_ path: String) {
        durableNames = names
        changes = []
    }

    func bytes(of path: String) -> [UInt8]? { names[path].flatMap { files[$0]?.bytes } }

    /// As a power cut leaves it: each change of names is there or not, and of bytes that were not
    /// synced all are there, none, a beginning, or a length of zeros.
    mutating func cutPower(_ random: inout SeededRandom) {
        for change in changes where Bool.random(using: &random) {
            switch change {
            case .link(let path, let file): durableNames[path] = file
            case .unlink(let path): durableNames[path] = nil
            case .rename(let path, let newPath, let file):
                durableNames[path] = nil
                durableNames[newPath] = file
            }
        }
        changes = []
        names = durableNames
        for (number, file) in files.sorted(by: { $0.key < $1.key }) {
            var bytes = file.durable
            if file.durable != file.bytes {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes = file.bytes
                case 1: bytes = Array(file.bytes.prefix(file.bytes.count / 2))
                case 2: bytes = [UInt8](repeating: 0, count: file.bytes.count)
                default: break
                }
            }
            files[number] = File(bytes: bytes, durable: bytes)
        }
        files = files.filter { file in names.values.contains(file.key) }
    }

    /// What is there now is durable: of a volume that is put back as it was once.
    mutating func settle() {
        for number in files.keys { sync(number) }
        syncDirectory("")
    }
}
