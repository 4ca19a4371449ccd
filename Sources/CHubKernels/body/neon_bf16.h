// usdot: four products of an unsigned and a signed byte a lane. bfdot: two of bfloat16.
#include <arm_neon.h>
#define INT8_PRODUCTS
INLINE vi add_int8_products(vi sum, vi x, vi b) { return (vi)vusdotq_s32((int32x4_t)sum, (uint8x16_t)x, (int8x16_t)b); }

#define BFLOAT16_PRODUCTS
INLINE vf add_bfloat16_products(vf sum, vi x, vi b) {
  return (vf)vbfdotq_f32((float32x4_t)sum, vreinterpretq_bf16_s32((int32x4_t)x), vreinterpretq_bf16_s32((int32x4_t)b));
}
