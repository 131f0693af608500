#include "demo_data.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char packages[] = {
#embed "debian-packages.jsonl"
};

static const unsigned char embeddings[] = {
#embed "debian-packages.f16"
};

const unsigned char *stopover_demo_packages(size_t *byte_count) {
    *byte_count = sizeof packages;
    return packages;
}

const unsigned char *stopover_demo_embeddings(size_t *byte_count) {
    *byte_count = sizeof embeddings;
    return embeddings;
}
