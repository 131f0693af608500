// A file system for SQLite that fails and forgets where it is told to: it wraps the default one, and
// passes everything through but for the files of directories that are registered (*worlds*).
//
// Of a world's database, -wal and -journal, every write, sync, truncation, deletion and creation is
// put before the judge first, which numbers it and says what becomes of it. What was written and not
// synced since is remembered, and at the world's end undone: all of it, none, or some by a seed, as
// after a power cut. -shm is memory in all but name, and passes through.
//
// The files of a world are used by one connection after the other, never by two at once.
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <stdint.h>

typedef enum {
    FAULT_CALL_READ,  // not a point: asked only whether the process still lives
    FAULT_CALL_CREATE,
    FAULT_CALL_WRITE,
    FAULT_CALL_SYNC,
    FAULT_CALL_TRUNCATE,
    FAULT_CALL_DELETE,
    FAULT_CALL_SYNCED,  // told after a sync that succeeded
} fault_call;

typedef enum {
    FAULT_PASS,
    FAULT_ERROR,         // the call fails, and nothing of it is done
    FAULT_FULL,          // the same, for want of room
    FAULT_REFUSE,        // the process is dead: nothing is done
    FAULT_REFUSE_AFTER,  // it is done, and the process dies
    FAULT_REFUSE_TORN,   // half of it is done, and the process dies
} fault_verdict;

typedef enum { FAULT_KEEP_ALL, FAULT_KEEP_NONE, FAULT_KEEP_SOME } fault_survival;

// Called on the thread that uses the database.
typedef fault_verdict (*fault_judge)(int64_t world, fault_call call, const char *path, int bytes);

// Makes it the default file system of this process. May be repeated. 0, or an error of SQLite's.
int fault_vfs_install(fault_judge judge);

// The files in `directory` (no slash at its end) are the world's from now on.
void fault_world_begin(int64_t world, const char *directory);

// Leaves the directory as a power cut would have, and forgets the world. Connections that are still
// open are refused everything.
void fault_world_end(int64_t world, fault_survival survival, uint64_t seed);

#endif
