// XXH3 by the widest instructions that the processor has: 46 GB/s with AVX2 where the plain functions of the same
// library, which are built for every x86-64, make 14 (of bytes in the cache; the numbers are the same).
#ifndef STOPOVER_CXXHASH_H
#define STOPOVER_CXXHASH_H

#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
// Puts the dispatching functions in the place of the plain ones, by macros: hence the functions below.
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

static inline uint64_t stopover_xxh3_64(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_64bits_withSeed(bytes, count, seed);
}

static inline XXH128_hash_t stopover_xxh3_128(const void *bytes, size_t count, uint64_t seed) {
    return XXH3_128bits_withSeed(bytes, count, seed);
}

static inline void stopover_xxh3_128_update(XXH3_state_t *state, const void *bytes, size_t count) {
    XXH3_128bits_update(state, bytes, count);
}

#endif
