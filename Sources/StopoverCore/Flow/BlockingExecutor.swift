import Dispatch

/// Threads for work that blocks: a sync of a file must not hold one of the few threads on which
/// every other task of the process runs.
public final class BlockingExecutor: TaskExecutor {
    public static let shared = BlockingExecutor()

    private let queue = DispatchQueue(label: "stopover.blocking", attributes: .concurrent)

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
