// The kernels for AVX-VNNI with its one instruction done by a loop, so that AVX2 alone runs all the rest of them.
#include <immintrin.h>
#include <stdint.h>

__attribute__((noinline, optnone, target("avx2"))) static __m256i emulated(__m256i sums, __m256i unsigned_bytes, __m256i signed_bytes) {
  int32_t sum[8];
  uint8_t a[32];
  int8_t b[32];
  __builtin_memcpy(sum, &sums, 32);
  __builtin_memcpy(a, &unsigned_bytes, 32);
  __builtin_memcpy(b, &signed_bytes, 32);
  for (int i = 0; i < 32; i++) sum[i / 4] += a[i] * b[i];
  __builtin_memcpy(&sums, sum, 32);
  return sums;
}

#define _mm256_dpbusd_avx_epi32 emulated
#include "../../Sources/CHubKernels/isa/avx2_vnni.c"
