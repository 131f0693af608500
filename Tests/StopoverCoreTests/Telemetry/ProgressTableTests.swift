import Testing

@testable import StopoverCore

@Suite("The live table")
struct ProgressTableTests {
    @Test("at 60 columns")
    func narrow() {
        #expect(ProgressTable.lines(.sample, width: 60) == golden60)
    }

    @Test("at 80 columns")
    func usual() {
        #expect(ProgressTable.lines(.sample, width: 80) == golden80)
    }

    @Test("at 120 columns")
    func wide() {
        #expect(ProgressTable.lines(.sample, width: 120) == golden120)
    }

    @Test("is never wider than the terminal, and holds no control characters", arguments: 50...200)
    func fits(_ width: Int) {
        for line in ProgressTable.lines(.sample, width: width) {
            #expect(TerminalText.width(line) <= width, "\(line)")
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
        }
    }

    @Test("shows what moves when not all transfers fit, and counts the rest")
    func height() {
        var snapshot = ProgressSnapshot.sample
        snapshot.transfers = (0..<40).map { .named("t\($0)", .published) }
        snapshot.transfers[30].phase = .moving
        let lines = ProgressTable.lines(snapshot, width: 80, height: 10)
        #expect(lines.count <= 10)
        #expect(lines.contains { $0.hasPrefix("lib.t30 ") })
        #expect(lines.contains("… and 36 more; 39 of 40 are done"))
    }

    @Test("has colour only where it is asked for, and the same text then")
    func colour() {
        let plain = ProgressTable.lines(.sample, width: 80)
        let colourful = ProgressTable.lines(
            .sample, width: 80, style: OutputStyle(usesColour: true))
        #expect(!plain.joined().contains("\u{1b}") && colourful.joined().contains("\u{1b}[32m"))
        let stripped = colourful.map { line in
            ["0", "2", "32", "33"].reduce(line) { $0.replacing("\u{1b}[\($1)m", with: "") }
        }
        #expect(stripped == plain)
    }

    @Test("of an empty job is a header and a status")
    func empty() {
        let lines = ProgressTable.lines(ProgressSnapshot(job: "j"), width: 80)
        #expect(lines.count == 2 && lines[1] == "0:00 elapsed")
    }
}

private let golden60 = [
    "collection                         loaded    rows/s     left",
    "lib.日本語のコ…  ███████████ 100%  1.20 k               done",
    "lib.evil\\u{1b}[… ███████████ 100%      10           checking",
    "lib.packages     ████▒░░░░░░  41%  2.50 M  12.3 k/s     4:43",
    "lib.a_very_long… ░░░░░░░░░░░   0%       0                  –",
    "total            ████▒░░░░░░  41%  2.50 M  12.3 k/s     4:44",
    "spool 1.5 GiB of 20 GiB · 1,234 retries · 1:02:05 elapsed",
    "waiting for the target since 0:42: the server does not\\u{7}…",
]
private let golden80 = [
    "collection                               loaded     rows/s     bytes/s      left",
    "lib.日本語のコレク…   ██████████  100%   1.20 k                             done",
    "lib.evil\\u{1b}[2J\\n…  ██████████  100%       10                         checking",
    "lib.packages          ████▒░░░░░   41%   2.50 M   12.3 k/s     19 MB/s      4:43",
    "lib.a_very_long_nam…  ░░░░░░░░░░    0%        0                                –",
    "total                 ████▒░░░░░   41%   2.50 M   12.3 k/s     19 MB/s      4:44",
    "spool 1.5 GiB of 20 GiB · 1,234 retries · 1:02:05 elapsed",
    "waiting for the target since 0:42: the server does not\\u{7} answer",
]
private let golden120 = [
    "collection                                                               loaded     rows/s     bytes/s      left",
    "lib.日本語のコレクション名です    ██████████████████████████████  100%   1.20 k                             done",
    "lib.evil\\u{1b}[2J\\n\\u{202e}name   ██████████████████████████████  100%       10                         checking",
    "lib.packages                      ████████████▒▒▒▒░░░░░░░░░░░░░░   41%   2.50 M   12.3 k/s     19 MB/s      4:43",
    "lib.a_very_long_name_of_a_colle…  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    0%        0                                –",
    "total                             ████████████▒▒▒░░░░░░░░░░░░░░░   41%   2.50 M   12.3 k/s     19 MB/s      4:44",
    "spool 1.5 GiB of 20 GiB · 1,234 retries · 1:02:05 elapsed",
    "waiting for the target since 0:42: the server does not\\u{7} answer",
]
