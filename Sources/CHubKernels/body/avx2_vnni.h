// vpdpbusd, in the encoding of AVX: four products of an unsigned and a signed byte a lane.
#define INT8_PRODUCTS
INLINE vi add_int8_products(vi sum, vi x, vi b) { return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x, (__m256i)b); }
