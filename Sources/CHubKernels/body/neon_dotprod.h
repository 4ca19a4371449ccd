// sdot: four products of signed bytes a lane.
#include <arm_neon.h>
#define INT8_PRODUCTS
#define INT8_OFFSET 128
INLINE vi add_int8_products(vi sum, vi x, vi b) { return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)x, (int8x16_t)b); }
