// Armv8.6, with products of mixed bytes and of bfloat16: Neoverse V1 and N2, Cortex-A510, Apple M2 and later.
#include "hub_kernels.h"
#if defined(__aarch64__)
#pragma clang attribute push(__attribute__((target("dotprod,i8mm,bf16"))), apply_to = function)
#define W 4
#define ROWS 12
#define NAME neon_bf16
#include "../body/vector.h"
#include "../body/neon_bf16.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
