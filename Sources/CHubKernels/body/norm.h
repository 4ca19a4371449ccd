// Layer normalisation: (z − mean)/√(variance + ε) · gain + bias with z = x + residual (Ba et al. 2016).

typedef struct { float mean, scale; } row_statistics;

INLINE vf norm_input(const float *x, const float *residual, ptrdiff_t i, ptrdiff_t left) {
  if (left >= W) return residual ? load(x + i) + load(residual + i) : load(x + i);
  return residual ? load_part(x + i, left) + load_part(residual + i, left) : load_part(x + i, left);
}

// Two passes: the sum of squared differences from the mean loses nothing when the mean is large.
INLINE row_statistics statistics_of(const float *x, const float *residual, ptrdiff_t width, float epsilon) {
  vf total = splat(0);
  for (ptrdiff_t i = 0; i < width; i += W) total += norm_input(x, residual, i, width - i);
  float mean = sum(total) / width;
  vf squares = splat(0);
  ptrdiff_t i = 0;
  for (; i + W <= width; i += W) {
    vf d = norm_input(x, residual, i, W) - mean;
    squares += d * d;
  }
  float rest = 0;
  for (; i < width; i++) {
    float d = x[i] + (residual ? residual[i] : 0) - mean;
    rest += d * d;
  }
  return (row_statistics){mean, 1.0f / __builtin_sqrtf((sum(squares) + rest) / width + epsilon)};
}

static void layer_norm(float *y, const float *x, const float *residual, const float *gain, const float *bias,
                       ptrdiff_t rows, ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; row++, x += width, y += width) {
    const float *r = residual ? residual + row * width : 0;
    row_statistics s = statistics_of(x, r, width, epsilon);
    ptrdiff_t i = 0;
    for (; i + W <= width; i += W) store(y + i, (norm_input(x, r, i, W) - s.mean) * s.scale * load(gain + i) + load(bias + i));
    for (; i < width; i++) y[i] = (x[i] + (r ? r[i] : 0) - s.mean) * s.scale * gain[i] + bias[i];
  }
}

// With g = dy · gain and n the normalised row: dx = (g − mean(g) − n · mean(g · n)) · scale.
static void layer_norm_backward(float *dx, float *dgain, float *dbias, const float *dy, const float *x, const float *residual,
                                const float *gain, ptrdiff_t rows, ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; row++, x += width, dx += width, dy += width) {
    const float *r = residual ? residual + row * width : 0;
    row_statistics s = statistics_of(x, r, width, epsilon);
    float total = 0, product = 0;
    for (ptrdiff_t i = 0; i < width; i++) {
      float n = (x[i] + (r ? r[i] : 0) - s.mean) * s.scale, g = dy[i] * gain[i];
      total += g;
      product += g * n;
      if (dgain) dgain[i] += dy[i] * n;
      if (dbias) dbias[i] += dy[i];
    }
    total /= width;
    product /= width;
    for (ptrdiff_t i = 0; i < width; i++) {
      float n = (x[i] + (r ? r[i] : 0) - s.mean) * s.scale;
      dx[i] = (dy[i] * gain[i] - total - n * product) * s.scale;
    }
  }
}

// Root mean square normalisation: z/√(mean z² + ε) · gain (Zhang and Sennrich 2019). Here 1/√(mean z² + ε).
INLINE float rms_scale_of(const float *x, const float *residual, ptrdiff_t width, float epsilon) {
  vf squares = splat(0);
  for (ptrdiff_t i = 0; i < width; i += W) {
    vf z = norm_input(x, residual, i, width - i);
    squares += z * z;
  }
  return 1.0f / __builtin_sqrtf(sum(squares) / width + epsilon);
}

static void rms_norm(float *y, const float *x, const float *residual, const float *gain, ptrdiff_t rows, ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; row++, x += width, y += width) {
    const float *r = residual ? residual + row * width : 0;
    float scale = rms_scale_of(x, r, width, epsilon);
    ptrdiff_t i = 0;
    for (; i + W <= width; i += W) store(y + i, norm_input(x, r, i, W) * scale * load(gain + i));
    for (; i < width; i++) y[i] = (x[i] + (r ? r[i] : 0)) * scale * gain[i];
  }
}

// With g = dy · gain and s the scale: dx = (g − z · s² · mean(g · z)) · s.
static void rms_norm_backward(float *dx, float *dgain, const float *dy, const float *x, const float *residual, const float *gain,
                              ptrdiff_t rows, ptrdiff_t width, float epsilon) {
  for (ptrdiff_t row = 0; row < rows; row++, x += width, dx += width, dy += width) {
    const float *r = residual ? residual + row * width : 0;
    float scale = rms_scale_of(x, r, width, epsilon), product = 0;
    for (ptrdiff_t i = 0; i < width; i++) {
      float z = x[i] + (r ? r[i] : 0);
      product += dy[i] * gain[i] * z;
      if (dgain) dgain[i] += dy[i] * z * scale;
    }
    float factor = product / width * scale * scale;
    for (ptrdiff_t i = 0; i < width; i++) dx[i] = (dy[i] * gain[i] - (x[i] + (r ? r[i] : 0)) * factor) * scale;
  }
}
