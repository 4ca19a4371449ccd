// AdapterFusion's attention over the adapters of one token (Pfeiffer et al. 2021).

INLINE float dot(const float *a, const float *b, ptrdiff_t width) {
  vf total = splat(0);
  ptrdiff_t i = 0;
  for (; i + W <= width; i += W) total += load(a + i) * load(b + i);
  float rest = 0;
  for (; i < width; i++) rest += a[i] * b[i];
  return sum(total) + rest;
}

static void add_scaled(float *y, const float *x, float scale, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) store(y + i, load(y + i) + load(x + i) * scale);
  for (; i < count; i++) y[i] += x[i] * scale;
}

static void fuse(float *out, float *weights, const float *q, const float *const *keys, const float *const *values,
                 const float *residual, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature) {
  for (ptrdiff_t row = 0; row < rows; row++, weights += count) {
    ptrdiff_t at = row * width;
    for (ptrdiff_t j = 0; j < count; j++) weights[j] = dot(q + at, keys[j] + at, width) / temperature;
    softmax_rows(weights, 1, count);
    for (ptrdiff_t i = 0; i < width; i++) out[at + i] = residual ? residual[at + i] : 0;
    for (ptrdiff_t j = 0; j < count; j++) add_scaled(out + at, values[j] + at, weights[j], width);
  }
}

// dV_j = p_j d; s_j = p_j (d·v_j − Σ p d·v) / temperature; dq = Σ s_j k_j; dk_j = s_j q. All are written, not added to.
static void fuse_backward(float *dq, float *const *dkeys, float *const *dvalues, const float *d, const float *weights,
                          const float *q, const float *const *keys, const float *const *values,
                          ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature) {
  for (ptrdiff_t row = 0; row < rows; row++, weights += count) {
    ptrdiff_t at = row * width;
    float mean = 0;
    for (ptrdiff_t j = 0; j < count; j++) mean += weights[j] * dot(d + at, values[j] + at, width);
    for (ptrdiff_t i = 0; i < width; i++) dq[at + i] = 0;
    for (ptrdiff_t j = 0; j < count; j++) {
      float s = weights[j] * (dot(d + at, values[j] + at, width) - mean) / temperature;
      for (ptrdiff_t i = 0; i < width; i++) {
        dvalues[j][at + i] = weights[j] * d[at + i];
        dkeys[j][at + i] = s * q[at + i];
      }
      add_scaled(dq + at, keys[j] + at, s, width);
    }
  }
}
