// vdpbf16ps: two products a lane, at the rate of one multiplication of float32.
#define BFLOAT16_PRODUCTS
INLINE vf add_bfloat16_products(vf sum, vi x, vi b) { return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)b); }
