// What the matrix kernels multiply: units of four bytes along k, so that one loop serves every precision.
// A unit of b is one float, two bfloat16 (the first in the lower half) or four signed bytes (the first in the lowest).
// Those of a are the same, but that its bytes are unsigned where the instructions want them so, and that its bfloat16
// are floats, two to a unit of b, where no instruction multiplies them as they are.
enum { FLOAT32, BFLOAT16, INT8 };

#define ELEMENTS(precision) ((precision) == FLOAT32 ? 1 : (precision) == BFLOAT16 ? 2 : 4)
INLINE ptrdiff_t units_of(int precision, ptrdiff_t k) { return (k + ELEMENTS(precision) - 1) / ELEMENTS(precision); }

// An instruction set that has an instruction for it defines these before this file.
#ifdef BFLOAT16_PRODUCTS
enum { WIDENS_BFLOAT16 = 0 };
#else
enum { WIDENS_BFLOAT16 = 1 };
INLINE vf add_bfloat16_products(vf sum, vi x, vi b) {
  sum += (vf)(x << 16) * (vf)(b << 16);
  return sum + (vf)(x & -65536) * (vf)(b & -65536);
}
#endif

// How many units of a meet one of b.
#define SPREAD(precision) ((precision) == BFLOAT16 && WIDENS_BFLOAT16 ? 2 : 1)

#ifndef INT8_PRODUCTS
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  sum += (x & 255) * (b << 24 >> 24);
  sum += (x >> 8 & 255) * (b << 16 >> 24);
  sum += (x >> 16 & 255) * (b << 8 >> 24);
  return sum + (x >> 24 & 255) * (b >> 24);
}
#endif

// What is taken from the bytes of a, 0...255, where the instructions want them signed.
#ifndef INT8_OFFSET
#define INT8_OFFSET 0
#endif

// The sums of INT8 are integers in the same registers.
INLINE vf add_products(int precision, vf sum, vi x, vf b) {
  switch (precision) {
    case BFLOAT16: return add_bfloat16_products(sum, x, (vi)b);
    case INT8: return (vf)add_int8_products((vi)sum, x, (vi)b);
    default: return sum + (vf)x * b;
  }
}
