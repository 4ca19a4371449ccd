// c = epilogue(a · bᵀ) over panels of b: the outer loops keep a block of a in the second-level cache and stream
// the panels of b past it; the tile holds ROWS x PANEL sums in registers.
#define PANEL (2 * W)
#define DEPTH_BLOCK 768
#define ROW_BLOCK (12 * ROWS)

static ptrdiff_t packed_size(ptrdiff_t n, ptrdiff_t k) { return (n + PANEL - 1) / PANEL * PANEL * k; }

static void pack(float *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k) {
  for (ptrdiff_t first = 0; first < n; first += PANEL) {
    ptrdiff_t columns = n - first < PANEL ? n - first : PANEL;
    const float *source = b + first * stride_n;
    for (ptrdiff_t p = 0; p < k; p++, packed += PANEL) {
      if (columns == PANEL && stride_n == 1) {
        store(packed, load(source + p * stride_k));
        store(packed + W, load(source + p * stride_k + W));
        continue;
      }
      for (ptrdiff_t j = 0; j < columns; j++) packed[j] = source[j * stride_n + p * stride_k];
      for (ptrdiff_t j = columns; j < PANEL; j++) packed[j] = 0;
    }
  }
}

// What one tile needs beside its operands.
typedef struct {
  float *c;
  ptrdiff_t stride_c, columns;  // columns < PANEL in the last panel of a ragged n
  const float *bias, *residual;
  ptrdiff_t residual_stride;
  float scale;
  hub_activation activation;
  int add, finish;              // add what c holds; apply the epilogue
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

INLINE void write_vector(vf value, const tile_output *out, ptrdiff_t row, ptrdiff_t column) {
  float *c = out->c + row * out->stride_c + column;
  ptrdiff_t left = out->columns - column;
  if (left <= 0) return;
  int whole = left >= W;
  ptrdiff_t part = whole ? W : left;
  if (out->add) value += whole ? load(c) : load_part(c, part);
  if (out->finish) value = finished(value, out, row, column, whole);
  if (whole) store(c, value);
  else store_part(c, value, part);
}

// The sums of one tile: `rows` is a constant wherever this is inlined.
INLINE void tile(int rows, const float *a, ptrdiff_t stride, const float *b, ptrdiff_t depth, const tile_output *out) {
  vf sums[ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = splat(0);
#pragma clang loop unroll_count(4)
  for (ptrdiff_t p = 0; p < depth; p++) {
    vf b0 = load(b + p * PANEL), b1 = load(b + p * PANEL + W);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      vf x = splat(a[i * stride + p]);
      sums[i][0] += x * b0;
      sums[i][1] += x * b1;
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    write_vector(sums[i][0], out, i, 0);
    write_vector(sums[i][1], out, i, W);
  }
}

#define TILE(n) static __attribute__((noinline)) void tile_##n(const float *a, ptrdiff_t stride, const float *b, ptrdiff_t depth, const tile_output *out) { tile(n, a, stride, b, depth, out); }
TILE(1) TILE(2) TILE(3) TILE(4)
#if ROWS > 4
TILE(5) TILE(6)
#endif
#if ROWS > 6
TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif

typedef void (*tile_function)(const float *, ptrdiff_t, const float *, ptrdiff_t, const tile_output *);
static const tile_function tiles[ROWS + 1] = {
  0, tile_1, tile_2, tile_3, tile_4,
#if ROWS > 4
  tile_5, tile_6,
#endif
#if ROWS > 6
  tile_7, tile_8, tile_9, tile_10, tile_11, tile_12, tile_13, tile_14,
#endif
};

// One block of rows against all panels, over one range of k.
static void gemm_block(float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, const float *packed, ptrdiff_t m, ptrdiff_t n,
                       ptrdiff_t k, ptrdiff_t depth, const hub_epilogue *e, ptrdiff_t first_row, int add, int finish) {
  ptrdiff_t strips = (m + ROWS - 1) / ROWS;
  for (ptrdiff_t column = 0; column < n; column += PANEL) {
    tile_output out = {
      .stride_c = stride_c, .columns = n - column, .bias = e->bias ? e->bias + column : 0, .residual_stride = e->residual_stride,
      .scale = e->scale, .activation = e->activation, .add = add, .finish = finish,
    };
    for (ptrdiff_t strip = 0; strip < strips; strip++) {
      ptrdiff_t row = strip * m / strips, end = (strip + 1) * m / strips;
      out.c = c + row * stride_c + column;
      out.residual = e->residual ? e->residual + (first_row + row) * e->residual_stride + column : 0;
      tiles[end - row](a + row * stride_m, stride_m, packed + column * k, depth, &out);
    }
  }
}

static void gemm(float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, ptrdiff_t stride_k, const float *packed,
                 ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *epilogue, float *scratch) {
  for (ptrdiff_t row = 0; row < m; row += ROW_BLOCK) {
    ptrdiff_t rows = m - row < ROW_BLOCK ? m - row : ROW_BLOCK;
    for (ptrdiff_t p = 0; p < k || p == 0; p += DEPTH_BLOCK) {
      ptrdiff_t depth = k - p < DEPTH_BLOCK ? k - p : DEPTH_BLOCK;
      const float *block = a + row * stride_m + p * stride_k;
      ptrdiff_t stride = stride_m;
      // A stride of whole pages puts the rows of a tile into one set of the first-level cache: copied, they spread.
      if (scratch && (stride_k != 1 || stride_m % 1024 == 0)) {
        for (ptrdiff_t i = 0; i < rows; i++)
          for (ptrdiff_t q = 0; q < depth; q++) scratch[i * DEPTH_BLOCK + q] = block[i * stride_m + q * stride_k];
        block = scratch;
        stride = DEPTH_BLOCK;
      }
      gemm_block(c + row * stride_c, stride_c, block, stride, packed + p * PANEL, rows, n, k, depth, epilogue, row,
                 epilogue->accumulate || p > 0, p + depth >= k);
    }
  }
}
