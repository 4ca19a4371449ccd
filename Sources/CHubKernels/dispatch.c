#include "hub_kernels.h"

extern const hub_kernels hub_kernels_portable;
#if defined(__x86_64__)
#include <cpuid.h>

extern const hub_kernels hub_kernels_avx512_bf16, hub_kernels_avx512_vnni, hub_kernels_avx512, hub_kernels_avx2_vnni, hub_kernels_avx2;

static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}
static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
static int has_bf16(void) { return has_vnni() && __builtin_cpu_supports("avx512bf16"); }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
// What has AVX2 by this test has an operating system that keeps 256 bits. AVX-VNNI is bit 4 of eax in leaf 7.1.
static int has_avx2_vnni(void) {
  unsigned eax = 0, ebx, ecx, edx;
  return has_avx2() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && eax >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) &&
         (eax >> 4 & 1);
}
#elif defined(__aarch64__)
extern const hub_kernels hub_kernels_neon_bf16, hub_kernels_neon_dotprod, hub_kernels_neon;

#if defined(__linux__)
// Of the C library; AT_HWCAP is 16 and AT_HWCAP2 26, the bits are those of the kernel's asm/hwcap.h.
extern unsigned long getauxval(unsigned long type);
static int has_dotprod(void) { return getauxval(16) >> 20 & 1; }
static int has_neon_bf16(void) { return has_dotprod() && (getauxval(26) >> 13 & 1) && (getauxval(26) >> 14 & 1); }
#else
static int has_dotprod(void) { return 0; }
static int has_neon_bf16(void) { return 0; }
#endif
#endif

const hub_kernels *hub_kernels_at(size_t index) {
#if defined(__x86_64__)
  if (has_bf16() && index-- == 0) return &hub_kernels_avx512_bf16;
  if (has_vnni() && index-- == 0) return &hub_kernels_avx512_vnni;
  if (has_avx512() && index-- == 0) return &hub_kernels_avx512;
  if (has_avx2_vnni() && index-- == 0) return &hub_kernels_avx2_vnni;
  if (has_avx2() && index-- == 0) return &hub_kernels_avx2;
#elif defined(__aarch64__)
  if (has_neon_bf16() && index-- == 0) return &hub_kernels_neon_bf16;
  if (has_dotprod() && index-- == 0) return &hub_kernels_neon_dotprod;
  if (index-- == 0) return &hub_kernels_neon;
#endif
  return index == 0 ? &hub_kernels_portable : NULL;
}

size_t hub_kernels_count(void) {
  size_t count = 0;
  while (hub_kernels_at(count)) count++;
  return count;
}

#if defined(__x86_64__)
// Leaf 4 of Intel's, 0x8000001D of AMD's: a subleaf a cache.
ptrdiff_t hub_cache_bytes(int level, ptrdiff_t *threads) {
  for (unsigned leaf = 4, tried = 0; tried < 2; leaf = 0x8000001d, tried++) {
    for (unsigned index = 0, eax, ebx, ecx, edx; index < 16 && __get_cpuid_count(leaf, index, &eax, &ebx, &ecx, &edx); index++) {
      unsigned type = eax & 31;  // 0: no more; 1: data; 2: instructions; 3: both
      if (type == 0) break;
      if (type == 2 || (int)(eax >> 5 & 7) != level) continue;
      *threads = (eax >> 14 & 4095) + 1;
      return (ptrdiff_t)((ebx >> 22) + 1) * ((ebx >> 12 & 1023) + 1) * ((ebx & 4095) + 1) * ((ptrdiff_t)ecx + 1);
    }
  }
  return 0;
}
#else
ptrdiff_t hub_cache_bytes(int level, ptrdiff_t *threads) {
  (void)level;
  *threads = 1;
  return 0;
}
#endif
