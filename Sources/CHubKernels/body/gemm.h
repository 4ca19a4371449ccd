// c = epilogue(a · bᵀ) over panels of b: the outer loops keep a block of a in the second-level cache and stream
// the panels of b past it; the tile holds ROWS x PANEL sums in registers.
// Weights come from memory, and each strip of rows over a panel fetches its share of the next panel, so that the memory
// is busy all the time. A single strip has no next to wait for: it fetches the weights so many floats ahead, across
// pages, where the processor's own prefetching stops.
#define AHEAD 2048
#define ROW_STRIDE (HUB_DEPTH_LIMIT + 16)  // of a in scratch: rows a power of two apart would share one set of the cache

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
  const int32_t *row_zeros;                 // of INT8, what the bytes of a row have instead of 0,
  const float *column_sums;                 // and the sum of a column's weights, an integer
  const float *fetched;         // into the cache while the tile is computed,
  ptrdiff_t fetched_a_unit;     // so many floats, at most a panel's, a unit of k
} tile_output;

// Between two blocks of k, c holds the sums of INT8 as the integers they are. Complete sums go to `complete`.
INLINE void write_vector(int precision, vf value, const tile_output *out, ptrdiff_t row, ptrdiff_t column, float *complete) {
  float *c = out->c + row * out->stride_c + column;
  ptrdiff_t left = out->columns - column;
  if (left <= 0) return;
  int whole = left >= W;
  if (out->add) {
    vf before = whole ? load(c) : load_part(c, left);
    value = precision == INT8 ? (vf)((vi)value + (vi)before) : value + before;
  }
  if (out->finish) store(complete + row * PANEL + column, value);
  else if (whole) store(c, value);
  else store_part(c, value, left);
}

INLINE void finish_rows(int precision, hub_activation activation, ptrdiff_t rows, const float *complete, tile_output out) {
  for (ptrdiff_t row = 0; row < rows; row++, complete += PANEL, out.c += out.stride_c, out.residual += out.residual ? out.residual_stride : 0) {
    for (ptrdiff_t column = 0; column < PANEL && column < out.columns; column += W) {
      ptrdiff_t left = out.columns - column;
      int whole = left >= W;
      vf value = load(complete + column);
      if (precision == INT8) {
        vi exact = (vi)value - (vi)load(out.column_sums + column) * out.row_zeros[row];
        value = __builtin_convertvector(exact, vf) * (out.row_scales[row] * load(out.column_scales + column));
      }
      if (out.bias) value += whole ? load(out.bias + column) : load_part(out.bias + column, left);
      value = activation_of(value, activation) * out.scale;
      if (out.residual) value += whole ? load(out.residual + column) : load_part(out.residual + column, left);
      if (whole) store(out.c + column, value);
      else store_part(out.c + column, value, left);
    }
  }
}

// The epilogue of complete sums: a loop for each activation, outside of the tiles, which would each hold all of them
// otherwise. The sums are read from memory of their own, for rows of c are often whole pages apart, and the processor
// takes a load for one of what was just stored where their addresses end alike.
#define FINISH(precision, activation) case activation: finish_rows(precision, activation, rows, complete, *out); break;
#define FINISH_TILE(precision) \
  static __attribute__((noinline)) void finish_##precision(ptrdiff_t rows, const float *complete, const tile_output *out) { \
    switch (out->activation) { \
      FINISH(precision, HUB_IDENTITY) FINISH(precision, HUB_RELU) FINISH(precision, HUB_GELU) FINISH(precision, HUB_GELU_TANH) \
      FINISH(precision, HUB_SILU) FINISH(precision, HUB_TANH) FINISH(precision, HUB_SIGMOID) FINISH(precision, HUB_LEAKY_RELU) \
      FINISH(precision, HUB_ELU) FINISH(precision, HUB_QUICK_GELU) FINISH(precision, HUB_MISH) \
      FINISH(precision, HUB_RELU_SQUARED) FINISH(precision, HUB_RELU6) FINISH(precision, HUB_LAPLACE) \
      FINISH(precision, HUB_GELU_10) \
    } \
  }
FINISH_TILE(FLOAT32)
FINISH_TILE(INT8)

INLINE vi splat_unit(const void *unit) {
  int32_t bits;
  __builtin_memcpy(&bits, unit, 4);
  return bits - (vi){};
}

INLINE vf widened(vf units, int half) { return (vf)(half ? (vi)units & -65536 : (vi)units << 16); }

// The sums of one tile: `rows` and `precision` are constants wherever this is inlined. a and b are in units, `depth` in
// those of b.
INLINE void tile(int precision, int rows, const float *a, const float *b, ptrdiff_t depth, const tile_output *out) {
  const float *fetched = out->fetched;
  ptrdiff_t step = out->fetched_a_unit;
  vf sums[ROWS][2];
  float complete[ROWS * PANEL];
  // What is read when the sums are complete comes from far away.
  for (int i = 0; out->add && i < rows; i++)
    for (int j = 0; j < PANEL; j += 16) __builtin_prefetch(out->c + i * out->stride_c + j, 1);
  for (int i = 0; out->finish && out->residual && i < rows; i++)
    for (int j = 0; j < PANEL; j += 16) __builtin_prefetch(out->residual + i * out->residual_stride + j);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = splat(0);
#pragma clang loop unroll_count(4)
  for (ptrdiff_t p = 0; p < depth; p++) {
    vf b0 = load(b + p * PANEL), b1 = load(b + p * PANEL + W);
    for (int i = 0; i < PANEL; i += 16) __builtin_prefetch(fetched + p * step + i * step / PANEL);
#pragma clang loop unroll(full)
    for (int part = 0; part < SPREAD(precision); part++) {
      int product = SPREAD(precision) == 1 ? precision : FLOAT32;
      vf b0_part = SPREAD(precision) == 1 ? b0 : widened(b0, part), b1_part = SPREAD(precision) == 1 ? b1 : widened(b1, part);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) {
        vi x = splat_unit(a + i * ROW_STRIDE + SPREAD(precision) * p + part);
        sums[i][0] = add_products(product, sums[i][0], x, b0_part);
        sums[i][1] = add_products(product, sums[i][1], x, b1_part);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    write_vector(precision, sums[i][0], out, i, 0, complete);
    write_vector(precision, sums[i][1], out, i, W, complete);
  }
  if (!out->finish) return;
  if (precision == INT8) finish_INT8(rows, complete, out);
  else finish_FLOAT32(rows, complete, out);
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

// A block of rows of a, in units as the tiles read them, over units [first, first + depth) of b's k.
typedef struct {
  const float *units;
  ptrdiff_t rows, first, depth;
  const float *scales;   // of INT8, by row
  const int32_t *zeros;
  float *wide;           // of BFLOAT16 that is widened: memory for a panel of floats
} row_block;

static void widen_panel(float *wide, const float *panel, ptrdiff_t depth) {
  for (ptrdiff_t p = 0; p < depth; p++, panel += PANEL, wide += 2 * PANEL) {
    for (int i = 0; i < PANEL; i += W) {
      store(wide + i, widened(load(panel + i), 0));
      store(wide + PANEL + i, widened(load(panel + i), 1));
    }
  }
}

// Where a strip of at most `most` rows begins: the last two are equal, for a tile of few rows waits for its own sums.
INLINE ptrdiff_t strip_start(ptrdiff_t strip, ptrdiff_t rows, ptrdiff_t strips, ptrdiff_t most) {
  if (strip == strips) return rows;
  ptrdiff_t whole = strips > 2 ? strips - 2 : 0, left = rows - whole * most;
  return strip <= whole ? strip * most : whole * most + (left + 1) / 2;
}

// A panel that few strips read is widened on its way into the registers; where there are sixteen of them, that leaves
// enough for four rows.
enum { ROWS_WHILE_WIDENING = W == 8 ? 4 : ROWS, STRIPS_WHILE_WIDENING = W == 8 ? 12 : 5 };

// The block against all panels, strip by strip.
INLINE void multiply_block(int precision, const row_block *block, const float *packed, ptrdiff_t n, ptrdiff_t k, tile_output out) {
  ptrdiff_t rows = block->rows, units = units_of(precision, k);
  int widens = SPREAD(precision) > 1 && rows > ROWS_WHILE_WIDENING * STRIPS_WHILE_WIDENING;
  ptrdiff_t most = SPREAD(precision) > 1 && !widens ? ROWS_WHILE_WIDENING : ROWS, strips = (rows + most - 1) / most;
  float *c = out.c;
  const float *bias = out.bias, *residual = out.residual;
  for (ptrdiff_t column = 0; column < n; column += PANEL, packed += panel_size(precision, k)) {
    out.columns = n - column;
    out.bias = bias ? bias + column : 0;
    if (precision == INT8) {
      out.column_scales = packed + units * PANEL;
      out.column_sums = packed + (units + 1) * PANEL;
    }
    const float *panel = packed + block->first * PANEL;
    out.fetched_a_unit = (PANEL + strips - 1) / strips;
    if (widens) {
      widen_panel(block->wide, panel, block->depth);
      out.fetched_a_unit = (out.fetched_a_unit + 1) / 2;
    }
    for (ptrdiff_t strip = 0; strip < strips; strip++) {
      out.fetched = strips == 1 ? panel + AHEAD : panel + panel_size(precision, k) + strip * block->depth * out.fetched_a_unit;
      ptrdiff_t row = strip_start(strip, rows, strips, most), count = strip_start(strip + 1, rows, strips, most) - row;
      out.c = c + row * out.stride_c + column;
      out.residual = residual ? residual + row * out.residual_stride + column : 0;
      if (precision == INT8) {
        out.row_scales = block->scales + row;
        out.row_zeros = block->zeros + row;
      }
      if (widens) tiles[FLOAT32][count](block->units + row * ROW_STRIDE, block->wide, 2 * block->depth, &out);
      else tiles[precision][count](block->units + row * ROW_STRIDE, panel, block->depth, &out);
    }
  }
}

// A block of a in units, a panel that is widened, and what the rows of INT8 were quantised by.
static ptrdiff_t scratch_of(hub_blocks blocks) { return blocks.rows * (ROW_STRIDE + 3) + blocks.depth * PANEL; }

INLINE void multiply(int precision, float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, ptrdiff_t stride_k, const void *packed,
                     ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *e, hub_blocks blocks, float *scratch) {
  float *wide = scratch + blocks.rows * ROW_STRIDE, *scales = wide + blocks.depth * PANEL, *factors = scales + blocks.rows;
  int32_t *zeros = (int32_t *)(factors + blocks.rows);
  ptrdiff_t units = units_of(precision, k), per_unit = ELEMENTS(precision), most = blocks.depth / SPREAD(precision);
  ptrdiff_t strips = (m + ROWS - 1) / ROWS, parts = (m + blocks.rows - 1) / blocks.rows, ranges = units > most ? (units + most - 1) / most : 1;
  for (ptrdiff_t index = 0; index < parts; index++) {
    ptrdiff_t row = strips * index / parts * ROWS, end = strips * (index + 1) / parts * ROWS, rows = (end < m ? end : m) - row;
    const float *source = a + row * stride_m;
    for (ptrdiff_t i = 0; precision == INT8 && i < rows; i++) {
      quantisation q = quantisation_of_row(source + i * stride_m, stride_k, k);
      scales[i] = q.scale;
      factors[i] = q.factor;
      zeros[i] = q.zero - INT8_OFFSET;
    }
    for (ptrdiff_t range = 0; range < ranges; range++) {
      ptrdiff_t p = units * range / ranges, depth = units * (range + 1) / ranges - p, from = p * per_unit;
      ptrdiff_t count = k - from < depth * per_unit ? k - from : depth * per_unit;
      int lies_across = precision == FLOAT32 && stride_m == 1 && stride_k != 1;
      if (lies_across) turn_rows(scratch, ROW_STRIDE, source + from * stride_k, stride_k, rows, count);
      for (ptrdiff_t i = 0; i < rows && !lies_across; i++)
        to_row_units(precision, scratch + i * ROW_STRIDE, source + i * stride_m + from * stride_k, stride_k, count,
                     precision == INT8 ? factors[i] : 0, precision == INT8 ? zeros[i] : 0);
      row_block block = {.units = scratch, .rows = rows, .first = p, .depth = depth, .scales = scales, .zeros = zeros, .wide = wide};
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
                              ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *epilogue, hub_blocks blocks, \
                              float *scratch) { \
    multiply(precision, c, stride_c, a, stride_m, stride_k, packed, m, n, k, epilogue, blocks, scratch); \
  }
GEMM(FLOAT32, float32)
GEMM(BFLOAT16, bfloat16)
GEMM(INT8, int8)
