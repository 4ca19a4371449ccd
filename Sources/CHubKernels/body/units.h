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

// The nearest integers, ties to even, of magnitudes below 2²².
INLINE vi nearest(vf x) {
  const float magic = 12582912.0f;  // 1.5 · 2²³: adding it rounds to an integer
  return (vi)(x + magic) - (vi)splat(magic);
}

// The product is rounded to float before it is rounded to an integer, on every instruction set alike: a fused
// multiplication would differ in the last bit.
INLINE vbyte to_int8(vf x, float factor, int32_t zero) {
#pragma clang fp contract(off)
  vf scaled = x * factor;
  return __builtin_convertvector(nearest(scaled) + zero, vbyte);
}

// Floats as integers of the same order, and back; what is not a number comes before or after all others.
INLINE vi ordered(vi bits) { return bits ^ (bits >> 31 & 0x7fffffff); }

// The lowest and the highest of a row and zero.
typedef struct { float lowest, highest; } range;
static range range_of(const float *row, ptrdiff_t stride, ptrdiff_t count) {
  vi least = {}, most = {};
  for (ptrdiff_t i = 0; i < count; i += W) {
    vi x = ordered((vi)row_vector(row, stride, i, count));
    least = __builtin_elementwise_min(least, x);
    most = __builtin_elementwise_max(most, x);
  }
  int lowest = 0, highest = 0;
  for (int i = 1; i < W; i++) {
    if (least[i] < least[lowest]) lowest = i;
    if (most[i] > most[highest]) highest = i;
  }
  return (range){((vf)ordered(least))[lowest], ((vf)ordered(most))[highest]};
}

// x ≈ (q − zero) · scale. A row of zeros, or so close to it that the factor would overflow, is zero.
typedef struct { float scale, factor; int32_t zero; } quantisation;

// Weights are −64...64, with zero in the middle.
INLINE quantisation quantisation_of_weights(const float *column, ptrdiff_t stride, ptrdiff_t count) {
  range r = range_of(column, stride, count);
  float magnitude = -r.lowest > r.highest || r.lowest != r.lowest ? -r.lowest : r.highest;
  if (magnitude < 0x1p-100f) return (quantisation){0};
  return (quantisation){magnitude / 64, 64 / magnitude, 0};
}

// Activations are 0...255, from the lowest to the highest of their row: a GELU leaves hardly anything below zero. One
// step is kept for the rounding of both ends.
INLINE quantisation quantisation_of_row(const float *row, ptrdiff_t stride, ptrdiff_t count) {
  range r = range_of(row, stride, count);
  float extent = r.highest - r.lowest;
  if (extent < 0x1p-100f) return (quantisation){0};
  float factor = 254 / extent;
  return (quantisation){extent / 254, factor, nearest(splat(-r.lowest * factor))[0]};
}

// `count` elements of a row into whole units; vectors of W elements are written to the end.
INLINE void to_units(int precision, void *units, const float *row, ptrdiff_t stride, ptrdiff_t count, float factor, int32_t zero) {
  char *out = units;
  for (ptrdiff_t i = 0; i < count; i += W) {
    vf x = row_vector(row, stride, i, count);
    if (precision == FLOAT32) {
      __builtin_memcpy(out + 4 * i, &x, sizeof x);
    } else if (precision == BFLOAT16) {
      vhalf halves = to_bfloat16(x);
      __builtin_memcpy(out + 2 * i, &halves, sizeof halves);
    } else {
      vbyte bytes = to_int8(x, factor, zero);
      __builtin_memcpy(out + i, &bytes, sizeof bytes);
    }
  }
}

// The same of activations.
INLINE void to_row_units(int precision, float *units, const float *row, ptrdiff_t stride, ptrdiff_t count, float factor, int32_t zero) {
  if (SPREAD(precision) == 1) {
    to_units(precision, units, row, stride, count, factor, zero);
    return;
  }
  for (ptrdiff_t i = 0; i < count; i += W)
    store(units + i, (vf)(__builtin_convertvector(to_bfloat16(row_vector(row, stride, i, count)), vi) << 16));
}

// Rows of floats that lie across, each element `stride` after the one before: W of them at a time, turned over.
INLINE void turn_rows(float *units, ptrdiff_t stride_units, const float *a, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t count) {
  for (ptrdiff_t p = 0; p < count; p += W) {
    for (ptrdiff_t i = 0; i < rows; i += W) {
      vf block[W];
      for (int j = 0; j < W; j++) block[j] = p + j < count ? row_vector(a + (p + j) * stride + i, 1, 0, rows - i) : splat(0);
      transpose(block);
      for (int j = 0; j < W && i + j < rows; j++) store(units + (i + j) * stride_units + p, block[j]);
    }
  }
}

// A panel is [units][PANEL]; that of INT8 ends with the scale of each column and the sum of its weights, which a row's
// sums are too large by for each step that its zero lies above 0.
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
    quantisation q = quantisation_of_weights(b + j * stride_n, stride_k, k);
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
