import Foundation
import Testing

@testable import StopoverCore

@Suite("A line of progress")
struct LineTests {
    @Test("for a pipe says everything once")
    func text() {
        #expect(
            ProgressLine.text(.sample)
                == "night-0a1b2c3d: 41% 2,501,210 of 6,001,210 rows · 1 of 4 collections done · "
                + "12.3 k rows/s · 19 MB/s · 4:44 left · spool 1.5 GiB of "
                + "20 GiB · 1,234 retries · waiting for the target since 0:42: the server does "
                + "not\\u{7} answer")
    }

    @Test("for a program is an object with sorted keys, its type and an ISO time")
    func json() throws {
        let snapshot = ProgressSnapshot(
            job: "j", elapsedSeconds: 1.5, transfers: [.named("a\n\"b\"")], limitingStage: .load,
            waits: [Wait(side: .source, reason: "r", seconds: 2)])
        let line = try JSONLine.progress(
            snapshot, at: Date(timeIntervalSince1970: 1_700_000_000.25))
        #expect(
            line
                == #"{"elapsedSeconds":1.5,"job":"j","limitingStage":"load","retries":0,"#
                + #""spoolLimitBytes":0,"spoolUsedBytes":0,"time":"2023-11-14T22:13:20.250Z","#
                + #""transfers":[{"bytesLoaded":0,"bytesRead":0,"chunksFlushed":0,"phase":"moving","#
                + #""rowsExpected":100,"rowsFlushed":0,"rowsLoaded":0,"#
                + #""rowsQuarantined":0,"rowsRead":0,"rowsSpooled":0,"rowsVerified":0,"#
                + #""source":{"collection":"a\n\"b\"","database":"default"},"#
                + #""target":{"collection":"a\n\"b\"","database":"lib"}}],"#
                + #""type":"progress","waits":[{"reason":"r","seconds":2,"side":"source"}]}"#)
        let back = try JSONDecoder().decode(ProgressSnapshot.self, from: Data(line.utf8))
        #expect(back == snapshot)
    }

    @Test("for a program that something failed has code, remedy and exit status")
    func error() throws {
        let error = StopoverError(.targetClash, "m\n2", remedy: "r", cause: "c")
        #expect(
            try JSONLine.error(error, at: Date(timeIntervalSince1970: 0))
                == #"{"cause":"c","code":"STO-PLAN-TARGET-CLASH","exitStatus":2,"message":"m\n2","#
                + #""remedy":"r","time":"1970-01-01T00:00:00.000Z","type":"error"}"#)
    }

    @Test("is drawn over the one before, and leaves room for others above")
    func frame() {
        var frame = LiveFrame()
        #expect(frame.erase() == "")
        #expect(frame.draw(["a", "b"]) == "a\u{1b}[K\nb\u{1b}[K\n\u{1b}[J")
        #expect(frame.draw(["c"]) == "\u{1b}[2A\rc\u{1b}[K\n\u{1b}[J")
        #expect(frame.erase() == "\u{1b}[1A\r\u{1b}[J")
        #expect(frame.draw(["d"]) == "d\u{1b}[K\n\u{1b}[J")
    }
}

@Suite("Figures")
struct FiguresTests {
    @Test("are grouped, shortened and never round up to the end")
    func numbers() {
        #expect(
            [0, 999, 1000, 1_234_567, -1234].map { Figures.grouped($0) }
                == ["0", "999", "1,000", "1,234,567", "-1,234"])
        #expect(
            [0, 7.004, 9.999, 99.96, 999.4, 999.5, 1234, 99_950, 999_500, 4.56e9, 1e15]
                .map { Figures.short($0) }
                == [
                    "0", "7", "10", "100", "999", "1.00 k", "1.23 k", "100 k", "1.00 M",
                    "4.56 G", "1000 T",
                ])
        #expect(Figures.percent(0.9999) == "99%" && Figures.percent(1) == "100%")
        #expect(Figures.short(.nan) == "?")
    }

    @Test("of time are clocks, then days")
    func time() {
        #expect(
            [0, 59.6, 192, 3723, 359_999, 367_200, 1e20].map { Figures.clock($0) }
                == ["0:00", "1:00", "3:12", "1:02:03", "99:59:59", "4 d 06 h", "> 999 d"])
        #expect(Figures.clock(nil) == "–" && Figures.clock(-1) == "–")
    }

    @Test("of width know wide, combining and harmful characters")
    func width() {
        #expect(
            ["abc", "日本", "e\u{301}", "👩‍👩‍👧", "❤️", "한"].map { TerminalText.width($0) }
                == [3, 4, 1, 2, 2, 2])
        #expect(
            TerminalText.escaped("a\u{1b}[0m\n\u{9b}\u{202e}é👩‍👩‍👧")
                == "a\\u{1b}[0m\\n\\u{9b}\\u{202e}é👩‍👩‍👧")
        #expect(TerminalText.padded("日本語", to: 5) == "日本…")
        #expect(TerminalText.padded("日本語", to: 4) == "日… ")
        #expect(TerminalText.padded("a", to: 3, right: true) == "  a")
        #expect(TerminalText.truncated("abc", to: 0) == "")
    }
}
