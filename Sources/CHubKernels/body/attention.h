// Scaled dot-product attention over one sequence and head (Vaswani et al. 2017). Keys and values are packed once.
// Scores exist only for a block of queries and a block of keys: the softmax is taken block by block, and what was
// summed under a smaller maximum is scaled down (Milakov and Gimelshein 2018).

#define QUERY_BLOCK (4 * ROWS)
#define KEY_BLOCK 256

static const hub_epilogue plain = {.scale = 1};

// p = exp(p − largest so far), whose sum is added up; returns what everything before is to be multiplied by.
static float softmax_step(float *p, ptrdiff_t width, float *largest_so_far, float *sum_so_far) {
  ptrdiff_t i = 0;
  vf peak = splat(*largest_so_far);
  for (; i + W <= width; i += W) peak = vmax(peak, load(p + i));
  float most = largest(peak);
  for (; i < width; i++) most = p[i] > most ? p[i] : most;
  vf total = splat(0);
  for (i = 0; i + W <= width; i += W) {
    vf e = vexp(load(p + i) - most);
    store(p + i, e);
    total += e;
  }
  float rest = 0;
  if (i < width) {
    store_part(p + i, vexp(load_part(p + i, width - i) - most), width - i);
    for (; i < width; i++) rest += p[i];
  }
  float correction = vexp(splat(*largest_so_far - most))[0];
  *largest_so_far = most;
  *sum_so_far = *sum_so_far * correction + sum(total) + rest;
  return correction;
}

static void scale_row(float *x, float factor, ptrdiff_t width) {
  ptrdiff_t i = 0;
  for (; i + W <= width; i += W) store(x + i, load(x + i) * factor);
  for (; i < width; i++) x[i] *= factor;
}

// p = softmax(p) over each row of `width`.
static void softmax_rows(float *p, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; row++, p += width) {
    float largest_so_far = -__builtin_inff(), sum_so_far = 0;
    softmax_step(p, width, &largest_so_far, &sum_so_far);
    scale_row(p, 1 / sum_so_far, width);
  }
}

static ptrdiff_t attention_scratch(ptrdiff_t rows, ptrdiff_t head_width) {
  return packed_size_float32(rows, head_width) + packed_size_float32(head_width, rows) + 2 * QUERY_BLOCK * ROW_STRIDE + 2 * QUERY_BLOCK;
}

static __attribute__((noinline)) void multiply_rows(const row_block *block, const float *packed, ptrdiff_t n, ptrdiff_t k, const tile_output *out) {
  multiply_block(FLOAT32, block, packed, n, k, *out);
}

// scores = scale · q · keysᵀ for a block of queries and `count` keys. A head is rarely wider than one range of depth.
static void score(float *scores, float *units, const float *q, ptrdiff_t block, const float *keys, ptrdiff_t count, const hub_attention_shape *shape) {
  ptrdiff_t width = shape->head_width;
  for (ptrdiff_t p = 0; p < width; p += DEPTH_BLOCK) {
    ptrdiff_t depth = width - p < DEPTH_BLOCK ? width - p : DEPTH_BLOCK;
    for (ptrdiff_t i = 0; i < block; i++) {
      to_units(FLOAT32, units + i * ROW_STRIDE, q + i * shape->stride + p, 1, depth, 0, 0);
      scale_row(units + i * ROW_STRIDE, shape->scale, depth);
    }
    row_block queries = {.units = units, .rows = block, .first = p, .depth = depth};
    tile_output out = {.c = scores, .stride_c = ROW_STRIDE, .add = p > 0};
    multiply_rows(&queries, keys, count, width, &out);
  }
}

static void attention(float *out, const float *q, const float *k, const float *v, const hub_attention_shape *shape, float *scratch) {
  ptrdiff_t rows = shape->rows, width = shape->head_width, stride = shape->stride;
  float *keys = scratch, *values = keys + packed_size_float32(rows, width), *units = values + packed_size_float32(width, rows);
  float *scores = units + QUERY_BLOCK * ROW_STRIDE, *most = scores + QUERY_BLOCK * ROW_STRIDE, *sums = most + QUERY_BLOCK;
  pack_float32(keys, k, rows, width, stride, 1);
  pack_float32(values, v, width, rows, 1, stride);
  for (ptrdiff_t row = 0; row < rows; row += QUERY_BLOCK, q += QUERY_BLOCK * stride, out += QUERY_BLOCK * stride) {
    ptrdiff_t block = rows - row < QUERY_BLOCK ? rows - row : QUERY_BLOCK;
    for (ptrdiff_t key = 0; key < rows; key += KEY_BLOCK) {
      ptrdiff_t count = rows - key < KEY_BLOCK ? rows - key : KEY_BLOCK;
      score(scores, units, q, block, keys + key * width, count, shape);
      for (ptrdiff_t i = 0; i < block; i++) {
        if (key == 0) {
          most[i] = -__builtin_inff();
          sums[i] = 0;
        }
        float correction = softmax_step(scores + i * ROW_STRIDE, count, most + i, sums + i);
        if (key > 0 && correction != 1) scale_row(out + i * stride, correction, width);
      }
      row_block weights = {.units = scores, .rows = block, .first = key, .depth = count};
      tile_output to_out = {.c = out, .stride_c = stride, .add = key > 0};
      multiply_rows(&weights, values, width, rows, &to_out);
    }
    for (ptrdiff_t i = 0; i < block; i++) scale_row(out + i * stride, 1 / sums[i], width);
  }
}

static ptrdiff_t attention_backward_scratch(ptrdiff_t rows, ptrdiff_t head_width) {
  ptrdiff_t packed = packed_size_float32(rows, head_width) > packed_size_float32(head_width, rows) ? packed_size_float32(rows, head_width) : packed_size_float32(head_width, rows);
  return packed + 2 * rows * rows + SCRATCH;
}

// With P the softmax: dV = Pᵀ·d, dP = d·Vᵀ, dS = P ⊙ (dP − Σ dP ⊙ P) · scale, dQ = dS·K, dK = dSᵀ·Q.
static void attention_backward(float *dq, float *dk, float *dv, const float *d, const float *q, const float *k, const float *v,
                               const hub_attention_shape *shape, float *scratch) {
  ptrdiff_t rows = shape->rows, width = shape->head_width, stride = shape->stride;
  float *p = scratch, *ds = p + rows * rows, *units = ds + rows * rows, *packed = units + SCRATCH;
  const hub_epilogue scaled = {.scale = shape->scale};
  pack_float32(packed, k, rows, width, stride, 1);
  multiply_float32(p, rows, q, stride, 1, packed, rows, rows, width, &scaled, units);
  softmax_rows(p, rows, rows);
  pack_float32(packed, v, rows, width, stride, 1);
  multiply_float32(ds, rows, d, stride, 1, packed, rows, rows, width, &plain, units);
  for (ptrdiff_t i = 0; i < rows; i++) {
    float total = 0;
    for (ptrdiff_t j = 0; j < rows; j++) total += ds[i * rows + j] * p[i * rows + j];
    for (ptrdiff_t j = 0; j < rows; j++) ds[i * rows + j] = p[i * rows + j] * (ds[i * rows + j] - total) * shape->scale;
  }
  pack_float32(packed, d, width, rows, 1, stride);
  multiply_float32(dv, stride, p, 1, rows, packed, rows, width, rows, &plain, units);
  pack_float32(packed, k, width, rows, 1, stride);
  multiply_float32(dq, stride, ds, rows, 1, packed, rows, width, rows, &plain, units);
  pack_float32(packed, q, width, rows, 1, stride);
  multiply_float32(dk, stride, ds, 1, rows, packed, rows, width, rows, &plain, units);
}
