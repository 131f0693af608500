// The demo's data inside the binary, so that `stopover demo` needs no file beside it.
#pragma once
#include <stddef.h>

/// One JSON object a line: facts about a Debian package.
const unsigned char *stopover_demo_packages(size_t *byte_count);

/// Line i's sentence embedding: 384 little-endian float16 numbers.
const unsigned char *stopover_demo_embeddings(size_t *byte_count);
