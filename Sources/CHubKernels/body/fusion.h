// AdapterFusion's attention over the adapters of one token (Pfeiffer et al. 2021), whose keys and values are the
// adapters' outputs themselves: the matrices that project them are applied to the query and to the mixture.

static void fuse(float *out, float *weights, const float *q, const float *const *inputs, const float *residual,
                 ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature) {
  for (ptrdiff_t row = 0; row < rows; row++, weights += count) {
    ptrdiff_t at = row * width;
    for (ptrdiff_t j = 0; j < count; j++) weights[j] = dot(q + at, inputs[j] + at, width) / temperature;
    softmax_rows(weights, 1, count);
    for (ptrdiff_t i = 0; i < width; i++) out[at + i] = residual ? residual[at + i] : 0;
    for (ptrdiff_t j = 0; j < count; j++) add_scaled(out + at, inputs[j] + at, weights[j], width);
  }
}

// s_j = p_j (d·x_j − Σ p d·x) / temperature; dq = Σ s_j x_j; dx_j = p_j d + s_j q. All are written, not added to.
static void fuse_backward(float *dq, float *const *dinputs, const float *d, const float *weights, const float *q,
                          const float *const *inputs, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature) {
  for (ptrdiff_t row = 0; row < rows; row++, weights += count) {
    ptrdiff_t at = row * width;
    float mean = 0;
    for (ptrdiff_t j = 0; j < count; j++) mean += weights[j] * dot(d + at, inputs[j] + at, width);
    for (ptrdiff_t i = 0; i < width; i++) dq[at + i] = 0;
    for (ptrdiff_t j = 0; j < count; j++) {
      float s = weights[j] * (dot(d + at, inputs[j] + at, width) - mean) / temperature;
      for (ptrdiff_t i = 0; i < width; i++) dinputs[j][at + i] = weights[j] * d[at + i] + s * q[at + i];
      add_scaled(dq + at, inputs[j] + at, s, width);
    }
  }
}
