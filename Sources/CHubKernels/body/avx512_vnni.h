// vpdpbusd: four products of an unsigned and a signed byte a lane.
#define INT8_PRODUCTS
INLINE vi add_int8_products(vi sum, vi x, vi b) { return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)b); }
