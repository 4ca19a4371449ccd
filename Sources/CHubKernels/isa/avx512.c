#include "hub_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma"))), apply_to = function)
#define W 16
#define ROWS 14
#define NAME avx512
#include "../body/vector.h"
#include "../body/int8_madd.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
