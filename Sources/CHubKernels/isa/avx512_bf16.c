#include "hub_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma,avx512vnni,avx512bf16"))), apply_to = function)
#define W 16
#define ROWS 14
#define NAME avx512_bf16
#include "../body/vector.h"
#include "../body/avx512_vnni.h"
#include "../body/avx512_bf16.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
