// Scaled dot-product attention over one sequence and head (Vaswani et al. 2017). Keys and values are packed once;
// scores exist only for a block of query rows.

#define QUERY_BLOCK (4 * ROWS)

static const hub_epilogue plain = {.scale = 1};

// p = softmax(p) over each row of `width`.
static void softmax_rows(float *p, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; row++, p += width) {
    ptrdiff_t i = 0;
    float most = -__builtin_inff();
    if (width >= W) {
      vf peak = load(p);
      for (i = W; i + W <= width; i += W) peak = vmax(peak, load(p + i));
      most = largest(peak);
    }
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
      for (ptrdiff_t j = i; j < width; j++) rest += p[j];
    }
    float inverse = 1.0f / (sum(total) + rest);
    for (i = 0; i + W <= width; i += W) store(p + i, load(p + i) * inverse);
    for (; i < width; i++) p[i] *= inverse;
  }
}

static ptrdiff_t attention_scratch(ptrdiff_t rows, ptrdiff_t head_width) {
  return packed_size_float32(rows, head_width) + packed_size_float32(head_width, rows) + QUERY_BLOCK * rows + SCRATCH;
}

static void attention(float *out, const float *q, const float *k, const float *v, const hub_attention_shape *shape, float *scratch) {
  ptrdiff_t rows = shape->rows, width = shape->head_width, stride = shape->stride;
  float *keys = scratch, *values = keys + packed_size_float32(rows, width), *scores = values + packed_size_float32(width, rows), *units = scores + QUERY_BLOCK * rows;
  pack_float32(keys, k, rows, width, stride, 1);
  pack_float32(values, v, width, rows, 1, stride);
  const hub_epilogue scaled = {.scale = shape->scale};
  for (ptrdiff_t row = 0; row < rows; row += QUERY_BLOCK) {
    ptrdiff_t block = rows - row < QUERY_BLOCK ? rows - row : QUERY_BLOCK;
    multiply_float32(scores, rows, q + row * stride, stride, 1, keys, block, rows, width, &scaled, units);
    softmax_rows(scores, block, rows);
    multiply_float32(out + row * stride, stride, scores, rows, 1, values, block, width, rows, &plain, units);
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
