// As many products as the registers can take, and nothing else: what the matrix kernels are measured against.
// Sums enough to hide the latency of an addition, for as long as there are registers.
enum { PEAK_SUMS = ROWS > 6 ? 20 : W == 8 ? 12 : 10 };

// As in a tile, two products share a factor: here a neighbour's sum, for with constant factors a compiler could take
// the sums without a loop. All of them are zero, which only the memory knows.
INLINE float peak(int precision, ptrdiff_t rounds) {
  const volatile vi zero = {};
  vf b0 = (vf)zero, b1 = (vf)zero, sums[PEAK_SUMS];
  for (int i = 0; i < PEAK_SUMS; i++) sums[i] = (vf)zero;
  for (ptrdiff_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < PEAK_SUMS; i += 2) {
      vi x = (vi)sums[(i + 2) % PEAK_SUMS];
      sums[i] = add_products(precision, sums[i], x, b0);
      sums[i + 1] = add_products(precision, sums[i + 1], x, b1);
    }
  }
  for (int i = 1; i < PEAK_SUMS; i++) sums[0] += sums[i];
  return sum(sums[0]);
}

#define PEAK(precision, name) \
  static float peak_##name(ptrdiff_t rounds) { return peak(precision, rounds); } \
  enum { peak_operations_##name = 2 * PEAK_SUMS * W * ELEMENTS(precision) };
PEAK(FLOAT32, float32)
PEAK(BFLOAT16, bfloat16)
PEAK(INT8, int8)
