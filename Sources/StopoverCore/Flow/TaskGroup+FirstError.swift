extension ThrowingTaskGroup where ChildTaskResult == Void, Failure == any Error {
    /// Waits for all children, and throws as soon as one of them has failed, which cancels the
    /// others. `waitForAll` would wait for every one of them first, and a worker that waits for
    /// what the failed one held would never end.
    mutating func endAtFirstError() async throws {
        while try await next() != nil {}
    }
}
