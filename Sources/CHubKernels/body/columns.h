// Loops over rows, and over the columns of a matrix.

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

static void multiply_elements(float *y, const float *x, const float *z, ptrdiff_t count) {
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) store(y + i, load(x + i) * load(z + i));
  for (; i < count; i++) y[i] = x[i] * z[i];
}

static void rotate(float *y, const float *x, const float *cosines, const float *sines, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width) {
  ptrdiff_t half = width / 2;
  for (ptrdiff_t row = 0; row < rows; row++, cosines += half, sines += half) {
    for (ptrdiff_t head = 0; head < heads; head++, x += width, y += width) {
      ptrdiff_t i = 0;
      for (; i + W <= half; i += W) {
        vf a = load(x + i), b = load(x + half + i), c = load(cosines + i), s = load(sines + i);
        store(y + i, a * c - b * s);
        store(y + half + i, b * c + a * s);
      }
      for (; i < half; i++) {
        float a = x[i], b = x[half + i];
        y[i] = a * cosines[i] - b * sines[i];
        y[half + i] = b * cosines[i] + a * sines[i];
      }
    }
  }
}

static void scale_columns(float *y, const float *x, const float *s, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; row++, x += width, y += width) {
    ptrdiff_t i = 0;
    for (; i + W <= width; i += W) store(y + i, load(x + i) * load(s + i));
    for (; i < width; i++) y[i] = x[i] * s[i];
  }
}

static void sum_rows(float *sums, const float *x, const float *z, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; row++) {
    const float *xs = x + row * width, *zs = z ? z + row * width : 0;
    ptrdiff_t i = 0;
    for (; i + W <= width; i += W) store(sums + i, load(sums + i) + (zs ? load(xs + i) * load(zs + i) : load(xs + i)));
    for (; i < width; i++) sums[i] += zs ? xs[i] * zs[i] : xs[i];
  }
}
