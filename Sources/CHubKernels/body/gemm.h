// c = epilogue(a · bᵀ) over panels of b: the outer loops keep a block of a in the second-level cache and stream
// the panels of b past it; the tile holds ROWS x PANEL sums in registers.
#define ROW_BLOCK (12 * ROWS)
// Weights come from memory, and each strip of rows over a panel fetches its share of the next panel, so that the memory
// is busy all the time. A single strip has no next to wait for: it fetches the weights so many floats ahead, across
// pages, where the processor's own prefetching stops.
#define AHEAD 2048
#define DEPTH_BLOCK 768                // units of k
#define ROW_STRIDE (DEPTH_BLOCK + 16)  // of a in scratch: rows a power of two apart would share one set of the cache

// What one tile needs beside its operands.
typedef struct {
  float *c;
  ptrdiff_t stride_c, columns;  // columns < PANEL in the last panel of a ragged n
  const float *bias, *residual;
  ptrdiff_t residual_stride;
  float scale;
  hub_activation activation;
  int add, finish;              // add the sums that c holds; apply the epilogue
  const float *row_scales, *column_scales;  // of INT8
  const float *surplus;                     // of INT8, an integer a column: what its sums are too large by
  const float *fetched;         // into the cache while the tile is computed,
  ptrdiff_t fetched_a_unit;     // so many floats, at most a panel's, a unit of k
} tile_output;

INLINE vf finished(vf value, const tile_output *out, ptrdiff_t row, ptrdiff_t column, int whole) {
  ptrdiff_t left = out->columns - column;
  if (out->bias) value += whole ? load(out->bias + column) : load_part(out->bias + column, left);
  value = activation_of(value, out->activation) * out->scale;
  if (out->residual) {
    const float *residual = out->residual + row * out->residual_stride + column;
    value += whole ? load(residual) : load_part(residual, left);
  }
  return value;
}

// Between two blocks of k, c holds the sums of INT8 as the integers they are.
INLINE void write_vector(int precision, vf value, const tile_output *out, ptrdiff_t row, ptrdiff_t column) {
  float *c = out->c + row * out->stride_c + column;
  ptrdiff_t left = out->columns - column;
  if (left <= 0) return;
  int whole = left >= W;
  if (out->add) {
    vf before = whole ? load(c) : load_part(c, left);
    value = precision == INT8 ? (vf)((vi)value + (vi)before) : value + before;
  }
  if (out->finish) {
    if (precision == INT8) {
      vi exact = (vi)value - (vi)load(out->surplus + column);
      value = __builtin_convertvector(exact, vf) * (out->row_scales[row] * load(out->column_scales + column));
    }
    value = finished(value, out, row, column, whole);
  }
  if (whole) store(c, value);
  else store_part(c, value, left);
}

INLINE vi splat_unit(const void *unit) {
  int32_t bits;
  __builtin_memcpy(&bits, unit, 4);
  return bits - (vi){};
}

// The sums of one tile: `rows` and `precision` are constants wherever this is inlined. a and b are in units.
INLINE void tile(int precision, int rows, const float *a, const float *b, ptrdiff_t depth, const tile_output *out) {
  const float *fetched = out->fetched;
  ptrdiff_t step = out->fetched_a_unit;
  vf sums[ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = splat(0);
#pragma clang loop unroll_count(4)
  for (ptrdiff_t p = 0; p < depth; p++) {
    vf b0 = load(b + p * PANEL), b1 = load(b + p * PANEL + W);
    for (int i = 0; i < PANEL; i += 16) __builtin_prefetch(fetched + p * step + i * step / PANEL);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vi x = splat_unit(a + i * ROW_STRIDE + p);
      sums[i][0] = add_products(precision, sums[i][0], x, b0);
      sums[i][1] = add_products(precision, sums[i][1], x, b1);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    write_vector(precision, sums[i][0], out, i, 0);
    write_vector(precision, sums[i][1], out, i, W);
  }
}

#define TILE(precision, n) \
  static __attribute__((noinline)) void tile_##precision##_##n(const float *a, const float *b, ptrdiff_t depth, const tile_output *out) { \
    tile(precision, n, a, b, depth, out); \
  }
#define TILES(n) TILE(FLOAT32, n) TILE(BFLOAT16, n) TILE(INT8, n)
TILES(1) TILES(2) TILES(3) TILES(4)
#if ROWS > 4
TILES(5) TILES(6)
#endif
#if ROWS > 6
TILES(7) TILES(8) TILES(9) TILES(10) TILES(11) TILES(12)
#endif
#if ROWS > 12
TILES(13) TILES(14)
#endif

typedef void (*tile_function)(const float *, const float *, ptrdiff_t, const tile_output *);
#define TILES_1_4(p) 0, tile_##p##_1, tile_##p##_2, tile_##p##_3, tile_##p##_4
#define TILES_5_6(p) tile_##p##_5, tile_##p##_6
#define TILES_7_12(p) tile_##p##_7, tile_##p##_8, tile_##p##_9, tile_##p##_10, tile_##p##_11, tile_##p##_12
#define TILES_13_14(p) tile_##p##_13, tile_##p##_14
#if ROWS > 12
#define ALL_TILES(p) {TILES_1_4(p), TILES_5_6(p), TILES_7_12(p), TILES_13_14(p)}
#elif ROWS > 6
#define ALL_TILES(p) {TILES_1_4(p), TILES_5_6(p), TILES_7_12(p)}
#elif ROWS > 4
#define ALL_TILES(p) {TILES_1_4(p), TILES_5_6(p)}
#else
#define ALL_TILES(p) {TILES_1_4(p)}
#endif
static const tile_function tiles[3][ROWS + 1] = {ALL_TILES(FLOAT32), ALL_TILES(BFLOAT16), ALL_TILES(INT8)};

// A block of rows of a, in units as the tiles read them, over units [first, first + depth) of k.
typedef struct {
  const float *units;
  ptrdiff_t rows, first, depth;
  const float *scales;  // of INT8, by row
} row_block;

// The block against all panels, strip by strip of at most ROWS rows.
INLINE void multiply_block(int precision, const row_block *block, const float *packed, ptrdiff_t n, ptrdiff_t k, tile_output out) {
  ptrdiff_t rows = block->rows, strips = (rows + ROWS - 1) / ROWS, units = units_of(precision, k);
  float *c = out.c;
  const float *bias = out.bias, *residual = out.residual;
  for (ptrdiff_t column = 0; column < n; column += PANEL, packed += panel_size(precision, k)) {
    out.columns = n - column;
    out.bias = bias ? bias + column : 0;
    if (precision == INT8) {
      out.column_scales = packed + units * PANEL;
      out.surplus = packed + (units + 1) * PANEL;
    }
    const float *panel = packed + block->first * PANEL;
    out.fetched_a_unit = (PANEL + strips - 1) / strips;
    for (ptrdiff_t strip = 0; strip < strips; strip++) {
      out.fetched = strips == 1 ? panel + AHEAD : panel + panel_size(precision, k) + strip * block->depth * out.fetched_a_unit;
      ptrdiff_t row = strip * rows / strips, end = (strip + 1) * rows / strips;
      out.c = c + row * out.stride_c + column;
      out.residual = residual ? residual + row * out.residual_stride + column : 0;
      if (precision == INT8) out.row_scales = block->scales + row;
      tiles[precision][end - row](block->units + row * ROW_STRIDE, panel, block->depth, &out);
    }
  }
}

#define SCRATCH (ROW_BLOCK * (ROW_STRIDE + 1))

INLINE void multiply(int precision, float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, ptrdiff_t stride_k, const void *packed,
                     ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *e, float *scratch) {
  ptrdiff_t units = units_of(precision, k), per_unit = ELEMENTS(precision);
  float *scales = scratch + ROW_BLOCK * ROW_STRIDE, factors[ROW_BLOCK];
  ptrdiff_t blocks = (m + ROW_BLOCK - 1) / ROW_BLOCK, ranges = units > DEPTH_BLOCK ? (units + DEPTH_BLOCK - 1) / DEPTH_BLOCK : 1;
  for (ptrdiff_t index = 0; index < blocks; index++) {
    ptrdiff_t row = m * index / blocks, rows = m * (index + 1) / blocks - row;
    const float *source = a + row * stride_m;
    for (ptrdiff_t range = 0; range < ranges; range++) {
      ptrdiff_t p = units * range / ranges, depth = units * (range + 1) / ranges - p, from = p * per_unit;
      ptrdiff_t count = k - from < depth * per_unit ? k - from : depth * per_unit;
      for (ptrdiff_t i = 0; i < rows; i++) {
        const float *values = source + i * stride_m;
        if (precision == INT8 && range == 0) {
          quantisation q = quantisation_of(values, stride_k, k);
          scales[i] = q.scale;
          factors[i] = q.factor;
        }
        to_units(precision, scratch + i * ROW_STRIDE, values + from * stride_k, stride_k, count, precision == INT8 ? factors[i] : 0, 128);
      }
      row_block block = {.units = scratch, .rows = rows, .first = p, .depth = depth, .scales = scales};
      tile_output out = {
        .c = c + row * stride_c, .stride_c = stride_c, .bias = e->bias, .residual = e->residual ? e->residual + row * e->residual_stride : 0,
        .residual_stride = e->residual_stride, .scale = e->scale, .activation = e->activation, .add = range > 0, .finish = range + 1 == ranges,
      };
      multiply_block(precision, &block, packed, n, k, out);
    }
  }
}

#define GEMM(precision, name) \
  static ptrdiff_t packed_size_##name(ptrdiff_t n, ptrdiff_t k) { return packed_size_of(precision, n, k); } \
  static void multiply_##name(float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, ptrdiff_t stride_k, const void *packed, \
                              ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *epilogue, float *scratch) { \
    multiply(precision, c, stride_c, a, stride_m, stride_k, packed, m, n, k, epilogue, scratch); \
  }
GEMM(FLOAT32, float32)
GEMM(BFLOAT16, bfloat16)
GEMM(INT8, int8)
