// Every aarch64 processor has it. Of its 32 registers a tile sums in 24 and reads ahead into the others; with more
// rows the compiler keeps some of them in memory.
#include "hub_kernels.h"
#if defined(__aarch64__)
#define W 4
#define ROWS 12
#define NAME neon
#include "../body/vector.h"
#include "../body/neon_bytes.h"
#include "../body/kernels.h"
#endif
