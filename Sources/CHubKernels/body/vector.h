// A vector of W floats and the functions the loops need on it. Included once per instruction set.
#pragma once
typedef float vf __attribute__((vector_size(W * 4)));
typedef int32_t vi __attribute__((vector_size(W * 4)));
typedef float vf_unaligned __attribute__((vector_size(W * 4), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
INLINE vf splat(float x) { return x - (vf){}; }
INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
// b where one of them is not a number: one instruction, unlike fmax. Bounds stand first, so that it stays one.
INLINE vf vmax(vf a, vf b) { return choose(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return choose(a < b, a, b); }

// The first `count` < W floats at p, zeros behind them.
INLINE vf load_part(const float *p, ptrdiff_t count) {
  float lanes[W] = {0};
  for (ptrdiff_t i = 0; i < count; i++) lanes[i] = p[i];
  return load(lanes);
}
INLINE void store_part(float *p, vf v, ptrdiff_t count) {
  float lanes[W];
  store(lanes, v);
  for (ptrdiff_t i = 0; i < count; i++) p[i] = lanes[i];
}

// Two vectors shuffled like cards: the lower halves, and the upper halves.
#if W == 16
#define LOWER_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define UPPER_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif W == 8
#define LOWER_HALVES 0, 8, 1, 9, 2, 10, 3, 11
#define UPPER_HALVES 4, 12, 5, 13, 6, 14, 7, 15
#else
#define LOWER_HALVES 0, 4, 1, 5
#define UPPER_HALVES 2, 6, 3, 7
#endif

// Rows become columns: each of log₂ W shuffles of row i with row i + W/2 brings one bit of the row's number into
// the lane's.
INLINE void transpose(vf rows[W]) {
#pragma clang loop unroll(full)
  for (int round = 1; round < W; round *= 2) {
    vf next[W];
#pragma clang loop unroll(full)
    for (int i = 0; i < W / 2; i++) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + W / 2], LOWER_HALVES);
      next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + W / 2], UPPER_HALVES);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < W; i++) rows[i] = next[i];
  }
}

// Halves folded onto each other: the same order of additions for every W that shares it.
#if W == 16
#define FOLDED_8(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define FOLDED_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define FOLDED_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define FOLDED_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#elif W == 8
#define FOLDED_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define FOLDED_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define FOLDED_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#else
#define FOLDED_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1)
#define FOLDED_1(v) __builtin_shufflevector(v, v, 1, 0, 3, 2)
#endif

INLINE float sum(vf v) {
#if W >= 16
  v += FOLDED_8(v);
#endif
#if W >= 8
  v += FOLDED_4(v);
#endif
  v += FOLDED_2(v);
  v += FOLDED_1(v);
  return v[0];
}
INLINE float largest(vf v) {
#if W >= 16
  v = vmax(v, FOLDED_8(v));
#endif
#if W >= 8
  v = vmax(v, FOLDED_4(v));
#endif
  v = vmax(v, FOLDED_2(v));
  v = vmax(v, FOLDED_1(v));
  return v[0];
}

// eˣ: x = n ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for eʳ, n added to the exponent. Below 2 ulp; results
// that would be denormal become the smallest normal numbers, which no softmax can tell from zero.
INLINE vf vexp(vf x) {
  x = vmin(splat(88.37626f), vmax(splat(-87.33654f), x));
  const float magic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  vf shifted = x * 1.44269504f + magic;
  vi n = (vi)shifted - (vi)splat(magic);
  vf whole = shifted - magic;
  vf r = x - whole * 0.693359375f;
  r = r + whole * 2.12194440e-4f;
  vf p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  vf e = p * (r * r) + r + 1.0f;
  return (vf)((vi)e + (n << 23));
}

// erf and tanh are odd: x·P(x²)/Q(x²), fitted to the smallest relative error on [0, limit] by iterated weighted
// least squares in 50 digits; the largest error in float32 is about 3e-7, and the tests hold it there.
INLINE vf saturated(vf value, vf x, float limit) {
  value = choose(x > limit, splat(1), value);
  return choose(x < -limit, splat(-1), value);
}

INLINE vf verf(vf input) {
  vf x = vmin(splat(3.92f), vmax(splat(-3.92f), input));
  vf u = x * x;
  vf p = splat(2.0501602193689905e-06f), q = splat(3.8091788155725226e-05f);
  p = p * u + 0.00028486980590969324f; q = q * u + 0.0011624093167483807f;
  p = p * u + 0.003765109460800886f;   q = q * u + 0.014968208968639374f;
  p = p * u + 0.05274717137217522f;    q = q * u + 0.11410430073738098f;
  p = p * u + 0.19039486348628998f;    q = q * u + 0.5020657777786255f;
  p = p * u + 1.1283791065216064f;     q = q * u + 1.0f;
  return saturated(x * p / q, input, 3.9f);
}

INLINE vf vtanh(vf input) {
  vf x = vmin(splat(9.0f), vmax(splat(-9.0f), input));
  vf u = x * x;
  vf p = splat(-1.2246819877659298e-11f), q = splat(1.2890611742477631e-06f);
  p = p * u + 3.0643384718587185e-08f; q = q * u + 0.00039407479926012456f;
  p = p * u + 2.8031698093400337e-05f; q = q * u + 0.027250230312347412f;
  p = p * u + 0.0038695281837135553f;  q = q * u + 0.47014203667640686f;
  p = p * u + 0.13680872321128845f;    q = q * u + 1.0f;
  p = p * u + 1.0f;
  return saturated(x * p / q, input, 8.9f);
}

INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }
