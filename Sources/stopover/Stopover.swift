import ArgumentParser
import StopoverMilvus
@main struct S: ParsableCommand {}
