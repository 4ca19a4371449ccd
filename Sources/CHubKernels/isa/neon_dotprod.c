// Armv8.2 with dot products: Cortex-A76, Neoverse N1, Apple M1 and later.
#include "hub_kernels.h"
#if defined(__aarch64__)
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define W 4
#define ROWS 12
#define NAME neon_dotprod
#include "../body/vector.h"
#include "../body/neon_dotprod.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
