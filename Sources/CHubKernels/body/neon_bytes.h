// Without an instruction that sums four products of bytes: pairs of them are summed in 16 bits, which weights of seven
// bits never leave: 2 · 128 · 64 = 16384.
#include <arm_neon.h>
#define INT8_PRODUCTS
#define INT8_OFFSET 128
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  int8x16_t a = (int8x16_t)x, w = (int8x16_t)b;
  int16x8_t lower = vmull_s8(vget_low_s8(a), vget_low_s8(w)), upper = vmull_high_s8(a, w);
  return (vi)vpadalq_s16((int32x4_t)sum, vpaddq_s16(lower, upper));
}
