// Float32 into units: the activations of a block of rows, and weights once for all.
#define PANEL (2 * W)

typedef uint16_t vhalf __attribute__((vector_size(W * 2)));
typedef uint8_t vbyte __attribute__((vector_size(W)));

// Elements i.. of a row whose elements are `stride` apart; zeros behind the last of `count`.
INLINE vf row_vector(const float *row, ptrdiff_t stride, ptrdiff_t i, ptrdiff_t count) {
  if (stride == 1 && i + W <= count) return load(row + i);
  float lanes[W] = {0};
  for (ptrdiff_t j = 0; j < W && i + j < count; j++) lanes[j] = row[(i + j) * stride];
  return load(lanes);
}

// The nearest bfloat16, ties to even; what is not a number stays that.
INLINE vhalf to_bfloat16(vf x) {
  vi bits = (vi)x, rounded = bits + 0x7fff + (bits >> 16 & 1);
  return __builtin_convertvector((vi)choose(x == x, (vf)rounded, (vf)(bits | 0x400000)) >> 16, vhalf);
}

// The largest magnitude of a row. Compared as integers the order is the same, and what is not a number wins.
static float magnitude_of(const float *row, ptrdiff_t stride, ptrdiff_t count) {
  vi most = {};
  for (ptrdiff_t i = 0; i < count; i += W)
    most = __builtin_elementwise_max(most, (vi)row_vector(row, stride, i, count) & 0x7fffffff);
  int32_t lanes[W], largest_bits = 0;
  __builtin_memcpy(lanes, &most, sizeof lanes);
  for (int i = 0; i < W; i++) largest_bits = lanes[i] > largest_bits ? lanes[i] : largest_bits;
  float magnitude;
  __builtin_memcpy(&magnitude, &largest_bits, 4);
  return magnitude;
}

// x ≈ q · scale with −127 ≤ q ≤ 127. A row of zeros, or so close to it that the factor would overflow, is zero.
typedef struct { float scale, factor; } quantisation;
INLINE quantisation quantisation_of(const float *row, ptrdiff_t stride, ptrdiff_t count) {
  float magnitude = magnitude_of(row, stride, count);
  if (magnitude < 0x1p-100f) return (quantisation){0, 0};
  return (quantisation){magnitude / 127, 127 / magnitude};
}

// The product is rounded to float before it is rounded to an integer, ties to even, on every instruction set alike:
// a fused multiplication would differ in the last bit.
INLINE vbyte to_int8(vf x, float factor, int shift) {
#pragma clang fp contract(off)
  const float magic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  vf scaled = x * factor;
  return __builtin_convertvector((vi)(scaled + magic) + shift, vbyte);
}

// `count` elements of a row into whole units; vectors of W elements are written to the end.
INLINE void to_units(int precision, void *units, const float *row, ptrdiff_t stride, ptrdiff_t count, float factor, int shift) {
  char *out = units;
  for (ptrdiff_t i = 0; i < count; i += W) {
    vf x = row_vector(row, stride, i, count);
    if (precision == FLOAT32) {
      __builtin_memcpy(out + 4 * i, &x, sizeof x);
    } else if (precision == BFLOAT16) {
      vhalf halves = to_bfloat16(x);
      __builtin_memcpy(out + 2 * i, &halves, sizeof halves);
    } else {
      vbyte bytes = to_int8(x, factor, shift);
      __builtin_memcpy(out + i, &bytes, sizeof bytes);
    }
  }
}

// A panel is [units][PANEL]; that of INT8 ends with the scale of each column and 128 times the sum of its weights,
// by which the shift of the activations has made its sums too large.
INLINE ptrdiff_t panel_size(int precision, ptrdiff_t k) { return PANEL * (units_of(precision, k) + (precision == INT8 ? 2 : 0)); }

INLINE ptrdiff_t packed_size_of(int precision, ptrdiff_t n, ptrdiff_t k) { return (n + PANEL - 1) / PANEL * panel_size(precision, k); }

// Columns j.. of a panel, W at once: as many units of each as fit the first-level cache, then turned over.
INLINE void pack_columns(int precision, float *panel, const float *b, ptrdiff_t columns, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  enum { PIECE = 64 };  // units
  float pieces[W][PIECE], scales[W] = {0}, factors[W] = {0};
  int32_t totals[W] = {0};
  ptrdiff_t units = units_of(precision, k), elements = PIECE * ELEMENTS(precision);
  __builtin_memset(pieces, 0, sizeof pieces);
  for (ptrdiff_t j = 0; precision == INT8 && j < columns; j++) {
    quantisation q = quantisation_of(b + j * stride_n, stride_k, k);
    scales[j] = q.scale;
    factors[j] = q.factor;
  }
  for (ptrdiff_t first = 0, p = 0; first < k; first += elements) {
    ptrdiff_t part = k - first < elements ? k - first : elements;
    for (ptrdiff_t j = 0; j < columns; j++) {
      to_units(precision, pieces[j], b + j * stride_n + first * stride_k, stride_k, part, factors[j], 0);
      for (ptrdiff_t i = 0; precision == INT8 && i < part; i++) totals[j] += ((const int8_t *)pieces[j])[i];
    }
    for (ptrdiff_t from = 0; from < PIECE && p < units; from += W) {
      vf block[W];
      for (int j = 0; j < W; j++) block[j] = load(pieces[j] + from);
      transpose(block);
      for (int i = 0; i < W && p < units; i++, p++) store(panel + p * PANEL, block[i]);
    }
  }
  if (precision != INT8) return;
  for (int j = 0; j < W; j++) totals[j] *= 128;
  __builtin_memcpy(panel + units * PANEL, scales, sizeof scales);
  __builtin_memcpy(panel + (units + 1) * PANEL, totals, sizeof totals);
}

INLINE void pack_panels(int precision, void *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  float *panel = packed;
  for (ptrdiff_t first = 0; first < n; first += PANEL, panel += panel_size(precision, k)) {
    for (int half = 0; half < 2; half++) {
      ptrdiff_t left = n - first - half * W, columns = left < 0 ? 0 : left < W ? left : W;
      pack_columns(precision, panel + half * W, b + (columns ? (first + half * W) * stride_n : 0), columns, k, stride_n, stride_k);
    }
  }
}

// Floats are only rearranged, and often by rows of bᵀ: gradients and attention pack anew each time.
static void pack_float32(void *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  if (stride_n != 1) {
    pack_panels(FLOAT32, packed, b, n, k, stride_n, stride_k);
    return;
  }
  float *out = packed;
  for (ptrdiff_t first = 0; first < n; first += PANEL) {
    ptrdiff_t columns = n - first < PANEL ? n - first : PANEL;
    for (ptrdiff_t p = 0; p < k; p++, out += PANEL) {
      store(out, row_vector(b + p * stride_k + first, 1, 0, columns));
      store(out + W, row_vector(b + p * stride_k + first, 1, W, columns));
    }
  }
}
static void pack_bfloat16(void *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  pack_panels(BFLOAT16, packed, b, n, k, stride_n, stride_k);
}
static void pack_int8(void *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  pack_panels(INT8, packed, b, n, k, stride_n, stride_k);
}
