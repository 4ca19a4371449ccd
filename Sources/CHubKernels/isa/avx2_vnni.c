// AVX-VNNI: vpdpbusd on 256 bits without AVX-512. Alder Lake and later, Sierra Forest, Zen 5.
#include "hub_kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,avxvnni"))), apply_to = function)
#define W 8
#define ROWS 6
#define NAME avx2_vnni
#include "../body/vector.h"
#include "../body/avx2_vnni.h"
#include "../body/kernels.h"
#pragma clang attribute pop
#endif
