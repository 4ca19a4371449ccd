#include "hub_kernels.h"

extern const hub_kernels hub_kernels_portable;
#if defined(__x86_64__)
extern const hub_kernels hub_kernels_avx512_bf16, hub_kernels_avx512_vnni, hub_kernels_avx512, hub_kernels_avx2;

static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}
static int has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
static int has_bf16(void) { return has_vnni() && __builtin_cpu_supports("avx512bf16"); }
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#elif defined(__aarch64__)
extern const hub_kernels hub_kernels_neon;
#endif

const hub_kernels *hub_kernels_at(size_t index) {
#if defined(__x86_64__)
  if (has_bf16() && index-- == 0) return &hub_kernels_avx512_bf16;
  if (has_vnni() && index-- == 0) return &hub_kernels_avx512_vnni;
  if (has_avx512() && index-- == 0) return &hub_kernels_avx512;
  if (has_avx2() && index-- == 0) return &hub_kernels_avx2;
#elif defined(__aarch64__)
  if (index-- == 0) return &hub_kernels_neon;
#endif
  return index == 0 ? &hub_kernels_portable : NULL;
}

size_t hub_kernels_count(void) {
  size_t count = 0;
  while (hub_kernels_at(count)) count++;
  return count;
}
