// What the matrix kernels multiply: units of four bytes along k, so that one loop serves every precision.
// A unit is one float, two bfloat16 (the first in the lower half) or four bytes (the first in the lowest): of b
// signed, of a shifted up by 128 to be unsigned, as the dot-product instructions want them.
enum { FLOAT32, BFLOAT16, INT8 };

#define ELEMENTS(precision) ((precision) == FLOAT32 ? 1 : (precision) == BFLOAT16 ? 2 : 4)
INLINE ptrdiff_t units_of(int precision, ptrdiff_t k) { return (k + ELEMENTS(precision) - 1) / ELEMENTS(precision); }

// An instruction set that has an instruction for it defines these before this file.
#ifndef BFLOAT16_PRODUCTS
INLINE vf add_bfloat16_products(vf sum, vi x, vi b) {
  sum += (vf)(x << 16) * (vf)(b << 16);
  return sum + (vf)(x & -65536) * (vf)(b & -65536);
}
#endif

#ifndef INT8_PRODUCTS
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  sum += (x & 255) * (b << 24 >> 24);
  sum += (x >> 8 & 255) * (b << 16 >> 24);
  sum += (x >> 16 & 255) * (b << 8 >> 24);
  return sum + (x >> 24 & 255) * (b >> 24);
}
#endif

// The sums of INT8 are integers in the same registers.
INLINE vf add_products(int precision, vf sum, vi x, vf b) {
  switch (precision) {
    case BFLOAT16: return add_bfloat16_products(sum, x, (vi)b);
    case INT8: return (vf)add_int8_products((vi)sum, x, (vi)b);
    default: return sum + (vf)x * b;
  }
}
