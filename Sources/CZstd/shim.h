// The literal-compression parameter that the spool uses stands behind this switch of zstd.h.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
