// Three workloads of fixed work, whose instructions are counted. `run` alone is counted.
#include <stdio.h>
#include "reference.h"

static const hub_kernels *kernels;

typedef struct { const hub_gemm *gemm; ptrdiff_t m, n, k; hub_epilogue epilogue; } product;

__attribute__((noinline)) void run(const product *p, float *c, const float *a, const float *packed, float *scratch) {
  hub_blocks blocks = {.rows = 24 * kernels->row_block, .depth = 256};
  p->gemm->multiply(c, p->n, a, p->k, 1, packed, p->m, p->n, p->k, &p->epilogue, blocks, scratch);
}

static void multiply(product p) {
  hub_blocks blocks = {.rows = 24 * kernels->row_block, .depth = 256};
  float *a = numbers(p.m * p.k), *b = numbers(p.n * p.k), *c = calloc(p.m * p.n, sizeof(float));
  float *packed = aligned_alloc(64, (p.gemm->packed_size(p.n, p.k) * 4 + 127) / 64 * 64);
  float *scratch = aligned_alloc(64, (p.gemm->scratch(blocks) * 4 + 127) / 64 * 64);
  p.gemm->pack(packed, b, p.n, p.k, p.k, 1);
  run(&p, c, a, packed, scratch);
}

// workloads ISA NAME
int main(int count, char **arguments) {
  if (count != 3) return 64;
  for (size_t i = 0; (kernels = hub_kernels_at(i)) && strcmp(kernels->name, arguments[1]); i++) {}
  if (!kernels) return 69;
  hub_epilogue gelu = {.scale = 1, .activation = HUB_GELU}, plain = {.scale = 1};
  if (strcmp(arguments[2], "float32_128x768x256") == 0) multiply((product){&kernels->float32, 128, 256, 768, gelu});
  else if (strcmp(arguments[2], "bfloat16_128x256x1024") == 0) multiply((product){&kernels->bfloat16, 128, 256, 1024, plain});
  else if (strcmp(arguments[2], "int8_128x768x256") == 0) multiply((product){&kernels->int8, 128, 256, 768, gelu});
  else return 64;
  return 0;
}
