// Without a dot product of bytes: products of 16-bit integers, added in pairs. An unsigned byte times a signed one
// fits, so that this is exact; vpmaddubsw would not be, for it saturates.
#define INT8_PRODUCTS
#if W == 16
#define ADD_PAIRS(a, b) (vi)_mm512_madd_epi16((__m512i)(a), (__m512i)(b))
#elif W == 8
#define ADD_PAIRS(a, b) (vi)_mm256_madd_epi16((__m256i)(a), (__m256i)(b))
#else
#define ADD_PAIRS(a, b) (vi)_mm_madd_epi16((__m128i)(a), (__m128i)(b))
#endif
typedef int16_t vshort __attribute__((vector_size(W * 4)));
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  sum += ADD_PAIRS(x & 0x00ff00ff, (vshort)b << 8 >> 8);
  return sum + ADD_PAIRS(x >> 8 & 0x00ff00ff, (vshort)b >> 8);
}
