import StopoverCore
import Testing

@Suite("A byte count")
struct ByteCountTests {
    @Test(
        "is read as people write it",
        arguments: [
            ("0", 0), ("4096", 4096), ("1B", 1), ("1KiB", 1024), ("1kb", 1000),
            ("512MiB", 536_870_912),
            ("20 GB", 20_000_000_000), ("1.5GiB", 1_610_612_736), ("1 gib", 1_073_741_824),
            ("7EiB", 8_070_450_532_247_928_832), ("0.5MB", 500_000),
        ] as [(String, Int64)])
    func read(_ text: String, _ bytes: Int64) { #expect(ByteCount(text)?.bytes == bytes) }

    @Test(
        "is nothing else",
        arguments: [
            "", "GiB", "4G", "4g", "-1", "1.5", "1.B", ".5GiB", "1,5GiB", "8EiB", "1e9", "1 GiB x",
            "99999999999999999999", "1GiB ", "٣GiB", "7.9999EiBx", "4 ",
        ])
    func notRead(_ text: String) { #expect(ByteCount(text) == nil) }

    @Test(
        "is written in three digits or so",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"),
            (1 << 30, "1 GiB"), (21_474_836_480, "20 GiB"), (358_612_992, "342 MiB"),
            (104_857_600, "100 MiB"), (1_073_741_823, "1 GiB"), (.max, "8 EiB"),
        ] as [(Int64, String)])
    func written(_ bytes: Int64, _ text: String) { #expect("\(ByteCount(bytes))" == text) }

    @Test("is decimal for speeds")
    func decimal() {
        #expect(ByteCount.decimal(12_345_678) == "12.3 MB")
        #expect(ByteCount.decimal(999_999) == "1 MB")
        #expect(ByteCount.decimal(.infinity) == "?")
    }
}

@Suite("An address of a cluster")
struct EndpointAddressTests {
    @Test(
        "is read with its port, or with the one that is usual",
        arguments: [
            ("http://127.0.0.1:19530", "http://127.0.0.1:19530"),
            ("http://localhost", "http://localhost:19530"),
            ("https://milvus.example/", "https://milvus.example:19530"),
            ("HTTPS://Host:443", "https://host:443"), ("http://[::1]", "http://[::1]:19530"),
            ("http://[::1]:1", "http://[::1]:1"), ("http://a_b-c.d:65535", "http://a_b-c.d:65535"),
            (
                "https://in03-1.serverless.gcp-us-west1.cloud.zilliz.com",
                "https://in03-1.serverless.gcp-us-west1.cloud.zilliz.com:443"
            ),
            (
                "https://in01-1.aws-us-west-2.vectordb.zillizcloud.com:19530",
                "https://in01-1.aws-us-west-2.vectordb.zillizcloud.com:19530"
            ),
            ("http://evil-zilliz.com", "http://evil-zilliz.com:19530"),
        ])
    func read(_ text: String, _ address: String) throws {
        #expect("\(try EndpointAddress(text))" == address)
    }

    @Test(
        "with a password is told from every other fault",
        arguments: [
            "http://u:p@h", "u:p@h", "ftp://u@h", "http://h/@",
        ])
    func credentials(_ text: String) {
        #expect(throws: EndpointAddress.Fault.credentials) { try EndpointAddress(text) }
    }
}
