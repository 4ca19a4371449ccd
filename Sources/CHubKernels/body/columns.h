// Loops over the columns of a matrix.

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
