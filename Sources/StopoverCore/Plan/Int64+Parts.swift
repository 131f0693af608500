extension Int64 {
    /// How many parts of `size` a whole of 0 or more has, the last of which may be smaller.
    func parts(of size: Int64) -> Int64 { self / size + (self % size == 0 ? 0 : 1) }
}
