#include "fault_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What stood where something was written: put back, it was never written.
typedef struct image {
    struct image *earlier;
    sqlite3_int64 offset;
    sqlite3_int64 length;    // what was written
    sqlite3_int64 file_size; // before
    int kept;                // bytes of `bytes`: what there was of the range
    int is_doomed;           // a sync of it failed: a later one says nothing of it
    unsigned char bytes[];
} image;

typedef struct world_file {
    struct world_file *next;
    char *path;
    image *unsynced; // the latest first
} world_file;

typedef struct world {
    struct world *next;
    int64_t number;
    char *directory;
    world_file *files;
} world;

typedef struct {
    sqlite3_file base;
    int64_t world;
    world_file *state;
    sqlite3_file *real; // stands right behind this
} faulty_file;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static world *worlds;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static fault_judge ask;

static int is_alive(int64_t number) {
    pthread_mutex_lock(&lock);
    world *found = worlds;
    while (found && found->number != number) found = found->next;
    pthread_mutex_unlock(&lock);
    return found != NULL;
}

static fault_verdict judge(faulty_file *file, fault_call call, int bytes) {
    // The world's end takes the file's state with it.
    if (!is_alive(file->world)) return FAULT_REFUSE;
    return ask(file->world, call, file->state->path, bytes);
}

// MARK: What is not durable

static int remember(faulty_file *file, sqlite3_int64 offset, sqlite3_int64 length) {
    sqlite3_int64 size = 0;
    int code = file->real->pMethods->xFileSize(file->real, &size);
    if (code != SQLITE_OK) return code;
    sqlite3_int64 there = size > offset ? size - offset : 0;
    int kept = (int)(there < length ? there : length);
    image *before = malloc(sizeof(image) + (size_t)kept);
    if (!before) return SQLITE_NOMEM;
    *before = (image){file->state->unsynced, offset, length, size, kept, 0};
    if (kept > 0) {
        code = file->real->pMethods->xRead(file->real, before->bytes, kept, offset);
        if (code != SQLITE_OK) {
            free(before);
            return code;
        }
    }
    file->state->unsynced = before;
    return SQLITE_OK;
}

static int overlap(const image *a, const image *b) {
    return a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

// All that was written since the last sync is durable, or (`step` 2) every second piece of it. What
// an earlier sync failed on is not, unless it was written again.
static void settle(world_file *file, int step) {
    int count = 0;
    for (image *doomed = file->unsynced; doomed; doomed = doomed->earlier) {
        if (!doomed->is_doomed) continue;
        for (image *later = file->unsynced; later != doomed; later = later->earlier)
            if (!later->is_doomed && overlap(later, doomed)) doomed->is_doomed = 0;
    }
    image **place = &file->unsynced;
    while (*place) {
        image *piece = *place;
        if (!piece->is_doomed && count++ % step == 0) {
            *place = piece->earlier;
            free(piece);
        } else {
            place = &piece->earlier;
        }
    }
}

static uint64_t next_random(uint64_t *state) {
    uint64_t mixed = (*state += 0x9E3779B97F4A7C15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
}

// Puts back what is lost. Where a piece behind the end is lost and a later one is kept, zeros stay,
// as in a file whose length was durable before its bytes.
static void undo(world_file *file, fault_survival survival, uint64_t *seed) {
    int handle = open(file->path, O_RDWR | O_CLOEXEC);
    while (file->unsynced) {
        image *piece = file->unsynced;
        file->unsynced = piece->earlier;
        int is_lost = survival == FAULT_KEEP_NONE
            || (survival == FAULT_KEEP_SOME && next_random(seed) % 2 == 0);
        if (handle >= 0 && is_lost) {
            (void)!pwrite(handle, piece->bytes, (size_t)piece->kept, piece->offset);
            if (survival == FAULT_KEEP_NONE) {
                (void)!ftruncate(handle, piece->file_size);
            } else {
                for (sqlite3_int64 at = piece->offset + piece->kept;
                     at < piece->offset + piece->length; at++)
                    (void)!pwrite(handle, "", 1, at);
            }
        }
        free(piece);
    }
    if (handle >= 0) close(handle);
}

// MARK: A file

static int file_close(sqlite3_file *base) {
    faulty_file *file = (faulty_file *)base;
    return file->real->pMethods->xClose(file->real);
}

static int file_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    faulty_file *file = (faulty_file *)base;
    if (judge(file, FAULT_CALL_READ, count) != FAULT_PASS) return SQLITE_IOERR_READ;
    return file->real->pMethods->xRead(file->real, bytes, count, offset);
}

static int file_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    faulty_file *file = (faulty_file *)base;
    fault_verdict verdict = judge(file, FAULT_CALL_WRITE, count);
    if (verdict == FAULT_FULL) return SQLITE_FULL;
    if (verdict == FAULT_ERROR || verdict == FAULT_REFUSE) return SQLITE_IOERR_WRITE;
    int written = verdict == FAULT_REFUSE_TORN ? count / 2 : count;
    int code = remember(file, offset, written);
    if (code == SQLITE_OK)
        code = file->real->pMethods->xWrite(file->real, bytes, written, offset);
    return verdict == FAULT_PASS ? code : SQLITE_IOERR_WRITE;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size) {
    faulty_file *file = (faulty_file *)base;
    fault_verdict verdict = judge(file, FAULT_CALL_TRUNCATE, 0);
    if (verdict != FAULT_PASS && verdict != FAULT_REFUSE_AFTER) return SQLITE_IOERR_TRUNCATE;
    sqlite3_int64 before = 0;
    int code = file->real->pMethods->xFileSize(file->real, &before);
    if (code == SQLITE_OK && before > size) code = remember(file, size, before - size);
    if (code == SQLITE_OK) code = file->real->pMethods->xTruncate(file->real, size);
    return verdict == FAULT_PASS ? code : SQLITE_IOERR_TRUNCATE;
}

// The file itself is not synced: it need not outlive the machine, only what is remembered matters.
static int file_sync(sqlite3_file *base, int flags) {
    faulty_file *file = (faulty_file *)base;
    (void)flags;
    switch (judge(file, FAULT_CALL_SYNC, 0)) {
    case FAULT_PASS:
        settle(file->state, 1);
        (void)judge(file, FAULT_CALL_SYNCED, 0);
        return SQLITE_OK;
    case FAULT_REFUSE_AFTER: settle(file->state, 1); break;
    case FAULT_REFUSE_TORN: settle(file->state, 2); break;
    case FAULT_FULL:
    case FAULT_ERROR:
        for (image *piece = file->state->unsynced; piece; piece = piece->earlier)
            piece->is_doomed = 1;
        break;
    case FAULT_REFUSE: break;
    }
    return SQLITE_IOERR_FSYNC;
}

#define REAL ((faulty_file *)base)->real
#define PASS(...) return REAL->pMethods->__VA_ARGS__

static int file_size(sqlite3_file *base, sqlite3_int64 *size) { PASS(xFileSize(REAL, size)); }
static int file_lock(sqlite3_file *base, int kind) { PASS(xLock(REAL, kind)); }
static int file_unlock(sqlite3_file *base, int kind) { PASS(xUnlock(REAL, kind)); }
static int file_is_locked(sqlite3_file *base, int *out) { PASS(xCheckReservedLock(REAL, out)); }
static int file_control(sqlite3_file *base, int op, void *argument) {
    PASS(xFileControl(REAL, op, argument));
}
static int file_sector(sqlite3_file *base) { PASS(xSectorSize(REAL)); }
static int file_traits(sqlite3_file *base) { PASS(xDeviceCharacteristics(REAL)); }
static int shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **out) {
    PASS(xShmMap(REAL, page, size, extend, out));
}
static int shm_lock(sqlite3_file *base, int offset, int count, int flags) {
    PASS(xShmLock(REAL, offset, count, flags));
}
static void shm_barrier(sqlite3_file *base) { REAL->pMethods->xShmBarrier(REAL); }
static int shm_unmap(sqlite3_file *base, int remove) { PASS(xShmUnmap(REAL, remove)); }

// Version 2: with shared memory, which a WAL needs, and without mapping the database, which would
// go past us.
static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock,
    file_unlock, file_is_locked, file_control, file_sector, file_traits, shm_map, shm_lock,
    shm_barrier, shm_unmap, NULL, NULL,
};

// MARK: The file system

// The file's state in its world; NULL where the path is in none.
static world_file *state_of(const char *path, int64_t *number) {
    world_file *state = NULL;
    pthread_mutex_lock(&lock);
    for (world *world = worlds; world && path && !state; world = world->next) {
        size_t length = strlen(world->directory);
        if (strncmp(path, world->directory, length) != 0 || path[length] != '/') continue;
        *number = world->number;
        state = world->files;
        while (state && strcmp(state->path, path) != 0) state = state->next;
        if (!state && (state = calloc(1, sizeof(*state)))) {
            state->path = strdup(path);
            state->next = world->files;
            world->files = state;
        }
    }
    pthread_mutex_unlock(&lock);
    return state;
}

static int vfs_open(
    sqlite3_vfs *self, const char *path, sqlite3_file *base, int flags, int *out) {
    (void)self;
    int64_t number = 0;
    world_file *state = state_of(path, &number);
    // The default one's own file, in the room of ours.
    if (!state) return real_vfs->xOpen(real_vfs, path, base, flags, out);
    faulty_file *file = (faulty_file *)base;
    *file = (faulty_file){{NULL}, number, state, (sqlite3_file *)(file + 1)};
    fault_verdict verdict = judge(file, FAULT_CALL_READ, 0);
    if (verdict == FAULT_PASS && flags & SQLITE_OPEN_CREATE && access(path, F_OK) != 0)
        verdict = judge(file, FAULT_CALL_CREATE, 0);
    if (verdict == FAULT_REFUSE_AFTER) close(open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    if (verdict != FAULT_PASS) return verdict == FAULT_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
    int code = real_vfs->xOpen(real_vfs, path, file->real, flags, out);
    if (file->real->pMethods) file->base.pMethods = &methods;
    return code;
}

// Durable at once: where SQLite asks for no sync of the directory, a file that comes back is one
// that it can do with.
static int vfs_delete(sqlite3_vfs *self, const char *path, int syncs) {
    (void)self;
    faulty_file file = {{NULL}, 0, NULL, NULL};
    file.state = state_of(path, &file.world);
    if (!file.state) return real_vfs->xDelete(real_vfs, path, syncs);
    fault_verdict verdict = judge(&file, FAULT_CALL_DELETE, 0);
    if (verdict != FAULT_PASS && verdict != FAULT_REFUSE_AFTER) return SQLITE_IOERR_DELETE;
    int code = real_vfs->xDelete(real_vfs, path, 0);
    settle(file.state, 1);
    return verdict == FAULT_PASS ? code : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *self, const char *path, int flags, int *out) {
    (void)self;
    return real_vfs->xAccess(real_vfs, path, flags, out);
}

static int vfs_full_path(sqlite3_vfs *self, const char *path, int count, char *out) {
    (void)self;
    return real_vfs->xFullPathname(real_vfs, path, count, out);
}

int fault_vfs_install(fault_judge judge) {
    pthread_mutex_lock(&lock);
    int code = SQLITE_OK;
    if (!real_vfs) {
        ask = judge;
        code = sqlite3_initialize();
        real_vfs = code == SQLITE_OK ? sqlite3_vfs_find(NULL) : NULL;
        if (real_vfs) {
            // Time, randomness and the rest are the default one's.
            vfs = *real_vfs;
            vfs.pNext = NULL;
            vfs.zName = "stopover-fault";
            vfs.szOsFile = (int)sizeof(faulty_file) + real_vfs->szOsFile;
            vfs.xOpen = vfs_open;
            vfs.xDelete = vfs_delete;
            vfs.xAccess = vfs_access;
            vfs.xFullPathname = vfs_full_path;
            code = sqlite3_vfs_register(&vfs, 1);
        }
    }
    pthread_mutex_unlock(&lock);
    return code;
}

void fault_world_begin(int64_t number, const char *directory) {
    world *begun = calloc(1, sizeof(*begun));
    if (!begun) return;
    begun->number = number;
    begun->directory = strdup(directory);
    pthread_mutex_lock(&lock);
    begun->next = worlds;
    worlds = begun;
    pthread_mutex_unlock(&lock);
}

void fault_world_end(int64_t number, fault_survival survival, uint64_t seed) {
    pthread_mutex_lock(&lock);
    world **place = &worlds;
    while (*place && (*place)->number != number) place = &(*place)->next;
    world *ended = *place;
    if (ended) *place = ended->next;
    pthread_mutex_unlock(&lock);
    if (!ended) return;
    while (ended->files) {
        world_file *file = ended->files;
        ended->files = file->next;
        undo(file, survival, &seed);
        free(file->path);
        free(file);
    }
    free(ended->directory);
    free(ended);
}
