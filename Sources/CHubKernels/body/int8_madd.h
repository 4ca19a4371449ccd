// Without an instruction that sums four products of bytes: vpmaddubsw sums two in 16 bits, and saturates. Weights of
// seven bits never let it: 2 · 255 · 64 = 32640. So this is exact.
#define INT8_PRODUCTS
#if W == 16
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  return sum + (vi)_mm512_madd_epi16(_mm512_maddubs_epi16((__m512i)x, (__m512i)b), _mm512_set1_epi16(1));
}
#else
INLINE vi add_int8_products(vi sum, vi x, vi b) {
  return sum + (vi)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)x, (__m256i)b), _mm256_set1_epi16(1));
}
#endif
