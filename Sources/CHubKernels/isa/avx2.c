#include "hub_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define W 8
#define ROWS 6
#define NAME avx2
#include "../body/vector.h"
#include "../body/int8_madd.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
