import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// Methods to handlers, by hand: there are no generated stubs.
enum TwinRouter {
    static func router(
        _ engine: TwinEngine, _ seam: FaultSeam,
        restart: @escaping @Sendable (Duration) -> Void
    ) -> RPCRouter<HTTP2ServerTransport.Posix> {
        var router = RPCRouter<HTTP2ServerTransport.Posix>()
        for method in TwinMethod.allCases
        where !engine.options.unknownMethods.contains(method.rawValue) {
            router.registerHandler(
                forMethod: MethodDescriptor(
                    fullyQualifiedService: TwinMethod.service, method: method.rawValue),
                deserializer: BytesCodec(), serializer: BytesCodec()
            ) { request, _ in
                let message = try await ServerRequest(stream: request).message
                try check(message, "received message", engine.options.requestBytes)
                let reply = try await answer(
                    engine, method, message, seam.faults(in: method), restart)
                try check(reply, "trying to send message", engine.options.replyBytes)
                return StreamingServerResponse(single: ServerResponse(message: reply))
            }
        }
        return router
    }

    private static func check(_ message: [UInt8], _ what: String, _ limit: Int) throws {
        guard message.count > limit else { return }
        throw RPCError(
            code: .resourceExhausted,
            message: "grpc: \(what) larger than max (\(message.count) vs. \(limit))")
    }

    private static func answer(
        _ engine: TwinEngine, _ method: TwinMethod, _ request: [UInt8],
        _ faults: [MilvusTwin.Behaviour.Fault], _ restart: (Duration) -> Void
    ) async throws -> [UInt8] {
        let life = engine.life
        var restraint = TwinEngine.Restraint()
        var failure: RPCError?
        var distortions: [MilvusTwin.Distortion] = []
        for fault in faults {
            switch fault {
            case .refuse(let code, let reason):
                return try TwinRefusal(code: code, reason: reason).reply(to: method)
            case .fail(let code, let message): throw RPCError(code: code, message: message)
            case .reply(let bytes): return bytes
            case .restart(let down):
                restart(down)
                throw TwinRouter.restarted
            case .delay(let duration): try await wait(duration, in: life, of: engine)
            case .truncatePage(let rows): restraint.pageLimit = rows
            case .applyThenFail(let code, let message):
                failure = RPCError(code: code, message: message)
            case .applyPartThenFail(let code, let message):
                restraint.onlyFirstShard = true
                failure = RPCError(code: code, message: message)
            case .distort(let distortion): distortions.append(distortion)
            }
        }
        // What waited in the memory of a server that is no more was never carried out.
        guard engine.life == life else { throw TwinRouter.restarted }
        var reply: [UInt8]
        do {
            reply = try engine.answer(method, request, restraint)
            for distortion in distortions { reply = try distortion.distorted(reply, of: method) }
        } catch let refusal as TwinRefusal {
            reply = try refusal.reply(to: method)
        }
        if let failure { throw failure }
        guard engine.life == life else { throw TwinRouter.restarted }
        return reply
    }

    /// Not longer than this life of the server.
    private static func wait(
        _ duration: Duration, in life: Int, of engine: TwinEngine
    ) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end, engine.life == life {
            let left = end - ContinuousClock.now
            try await Task.sleep(for: min(left, .milliseconds(20)))
        }
    }

    private static let restarted = RPCError(code: .unavailable, message: "the twin restarted")
}

/// Messages as the bytes they are.
struct BytesCodec: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
        var bytes = Bytes(repeating: 0, count: message.count)
        bytes.withUnsafeMutableBytes { $0.copyBytes(from: message) }
        return bytes
    }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
