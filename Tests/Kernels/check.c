// Compares every kernel of every instruction set that this processor has with plain loops in double precision, on odd
// shapes; derivatives with differences of those loops. Prints a line a set; exit status 1 if anything differs.
//
//     check [NAME ...]      the sets that must be there
#include <stdio.h>
#include "reference.h"

static const hub_kernels *kernels;
static int failures;

static void compare(const char *what, const float *got, const double *expected, ptrdiff_t count, double tolerance) {
  for (ptrdiff_t i = 0; i < count; i++) {
    if (fabs(got[i] - expected[i]) <= tolerance * fmax(1, fabs(expected[i]))) continue;
    printf("%s: %s: element %td of %td is %.9g, not %.9g\n", kernels->name, what, i, count, got[i], expected[i]);
    failures++;
    return;
  }
}

static double *doubles(const float *x, ptrdiff_t count) {
  double *y = malloc((count + 1) * sizeof(double));
  for (ptrdiff_t i = 0; i < count; i++) y[i] = x[i];
  return y;
}

typedef enum { FLOAT32, BFLOAT16, INT8 } precision;

// One product with a bias, an activation, a scale and a residual, of rows that lie further apart than they are long.
static void product(precision precision, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, hub_activation kind) {
  static const char *const names[] = {"float32", "bfloat16", "int8"};
  const hub_gemm *gemm = precision == FLOAT32 ? &kernels->float32 : precision == BFLOAT16 ? &kernels->bfloat16 : &kernels->int8;
  ptrdiff_t stride = k + 3, stride_c = n + 5;
  float *a = numbers(m * stride), *b = numbers(n * k), *bias = numbers(n), *residual = numbers(m * n);
  float *packed = aligned_alloc(64, (gemm->packed_size(n, k) * 4 + 127) / 64 * 64);
  hub_blocks blocks = {.rows = 4 * kernels->row_block, .depth = k % 2 ? 64 : HUB_DEPTH_LIMIT};
  float *scratch = aligned_alloc(64, (gemm->scratch(blocks) * 4 + 127) / 64 * 64), *c = calloc(m * stride_c, sizeof(float)), *got = malloc(m * n * sizeof(float));
  double *expected = malloc(m * n * sizeof(double)), *qa = malloc(k * sizeof(double)), *qb = malloc(k * sizeof(double));
  gemm->pack(packed, b, n, k, k, 1);
  hub_epilogue epilogue = {.bias = bias, .residual = residual, .residual_stride = n, .scale = 0.5f, .activation = kind};
  gemm->multiply(c, stride_c, a, stride, 1, packed, m, n, k, &epilogue, blocks, scratch);
  for (ptrdiff_t i = 0; i < m; i++) {
    for (ptrdiff_t j = 0; j < n; j++) {
      const float *x = a + i * stride, *w = b + j * k;
      double sum = 0;
      if (precision == INT8) {
        float scale = quantise(qa, x, k, 0) * quantise(qb, w, k, 1);
        for (ptrdiff_t p = 0; p < k; p++) sum += qa[p] * qb[p];
        sum *= scale;
      } else {
        for (ptrdiff_t p = 0; p < k; p++) sum += precision == FLOAT32 ? (double)x[p] * w[p] : bfloat16(x[p]) * bfloat16(w[p]);
      }
      expected[i * n + j] = activation(sum + bias[j], kind) * 0.5 + residual[i * n + j];
      got[i * n + j] = c[i * stride_c + j];
    }
    for (ptrdiff_t j = n; j < stride_c; j++) {
      if (c[i * stride_c + j] == 0) continue;
      printf("%s: %s %tdx%tdx%td writes behind row %td\n", kernels->name, names[precision], m, n, k, i);
      failures++;
    }
  }
  char what[80];
  snprintf(what, sizeof what, "%s %tdx%tdx%td, activation %d", names[precision], m, n, k, (int)kind);
  compare(what, got, expected, m * n, 2e-5);
  // The same of columns: what lies across gives the same bits.
  float *across = malloc(k * (m + 2) * sizeof(float));
  for (ptrdiff_t i = 0; i < m; i++)
    for (ptrdiff_t p = 0; p < k; p++) across[p * (m + 2) + i] = a[i * stride + p];
  for (ptrdiff_t i = 0; i < m * n; i++) expected[i] = got[i];
  gemm->multiply(got, n, across, 1, m + 2, packed, m, n, k, &epilogue, blocks, scratch);
  compare("the same of columns", got, expected, m * n, 0);
  free(across);
  free(a), free(b), free(bias), free(residual), free(packed), free(scratch), free(c), free(got), free(expected), free(qa), free(qb);
}

static void products(void) {
  static const ptrdiff_t sizes[][3] = {
    {1, 1, 1}, {2, 3, 5}, {7, 8, 9}, {13, 33, 31}, {5, 17, 70}, {29, 64, 97}, {90, 9, 70}, {171, 5, 33}, {2, 20, 1551}, {1, 33, 3101}, {73, 3, 800},
  };
  for (precision precision = FLOAT32; precision <= INT8; precision++) {
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) product(precision, sizes[i][0], sizes[i][1], sizes[i][2], HUB_IDENTITY);
    for (ptrdiff_t m = 1; m < 32; m++) product(precision, m, 19, 23, HUB_IDENTITY);
    for (int kind = HUB_IDENTITY; kind <= HUB_GELU_10; kind++) product(precision, 4, 37, 21, kind);
  }
}

static void activations(void) {
  ptrdiff_t count = 1603;
  float *x = malloc(count * sizeof(float)), *y = malloc(count * sizeof(float)), *d = numbers(count);
  double *expected = malloc(count * sizeof(double));
  for (ptrdiff_t i = 0; i < count; i++) x[i] = (i - 801) / 60.0f + 1e-4f;
  for (int kind = HUB_IDENTITY; kind <= HUB_GELU_10; kind++) {
    for (ptrdiff_t i = 0; i < count; i++) expected[i] = activation(x[i], kind);
    kernels->activate(y, x, count, kind);
    compare("activation", y, expected, count, 2e-6);
    for (ptrdiff_t i = 0; i < count; i++) expected[i] = d[i] * (activation(x[i] + 1e-5, kind) - activation(x[i] - 1e-5, kind)) / 2e-5;
    kernels->activate_backward(y, d, x, count, kind);
    compare("derivative of an activation", y, expected, count, 1e-5);
  }
  free(x), free(y), free(d), free(expected);
}

// Σ d · f(x), by each element of x, as differences.
static double *gradient(void (*function)(double *y, const double *x, const void *more), const void *more, const float *at, ptrdiff_t count, const float *d,
                        ptrdiff_t outputs) {
  double *x = doubles(at, count), *y = calloc(outputs, sizeof(double)), *slopes = malloc(count * sizeof(double));
  for (ptrdiff_t i = 0; i < count; i++) {
    double sums[2], old = x[i];
    for (int side = 0; side < 2; side++) {
      x[i] = old + (side ? 1e-5 : -1e-5);
      function(y, x, more);
      sums[side] = 0;
      for (ptrdiff_t j = 0; j < outputs; j++) sums[side] += d[j] * y[j];
    }
    x[i] = old;
    slopes[i] = (sums[1] - sums[0]) / 2e-5;
  }
  free(x), free(y);
  return slopes;
}

typedef struct { const float *gain, *bias; ptrdiff_t width; } norm;
static void layer_norm_of(double *y, const double *x, const void *more) {
  const norm *n = more;
  layer_norm(y, x, n->gain, n->bias, n->width, 1e-5);
}
static void rms_norm_of(double *y, const double *x, const void *more) {
  const norm *n = more;
  rms_norm(y, x, n->gain, n->width, 1e-5);
}

// Both norms of x + residual, and the way back, row by row.
static void norms(ptrdiff_t rows, ptrdiff_t width) {
  float *x = numbers(rows * width), *residual = numbers(rows * width), *gain = numbers(width), *bias = numbers(width), *d = numbers(rows * width);
  float *z = malloc(rows * width * 4), *y = malloc(rows * width * 4), *sums = calloc(width, 4), *more_sums = calloc(width, 4);
  double *expected = malloc(rows * width * sizeof(double)), *row = malloc(width * sizeof(double));
  for (ptrdiff_t i = 0; i < rows * width; i++) z[i] = x[i] + residual[i];
  for (int root = 0; root < 2; root++) {
    norm n = {gain, bias, width};
    for (ptrdiff_t i = 0; i < rows; i++) {
      double *in = doubles(z + i * width, width);
      (root ? rms_norm_of : layer_norm_of)(expected + i * width, in, &n);
      free(in);
    }
    if (root) kernels->rms_norm(y, x, residual, gain, rows, width, 1e-5f);
    else kernels->layer_norm(y, x, residual, gain, bias, rows, width, 1e-5f);
    compare(root ? "rms norm" : "layer norm", y, expected, rows * width, 2e-5);
    for (ptrdiff_t i = 0; i < rows; i++) {
      double *slopes = gradient(root ? rms_norm_of : layer_norm_of, &n, z + i * width, width, d + i * width, width);
      memcpy(expected + i * width, slopes, width * sizeof(double));
      free(slopes);
    }
    if (root) kernels->rms_norm_backward(y, sums, d, x, residual, gain, rows, width, 1e-5f);
    else kernels->layer_norm_backward(y, sums, more_sums, d, x, residual, gain, rows, width, 1e-5f);
    compare(root ? "derivative of rms norm" : "derivative of layer norm", y, expected, rows * width, 2e-4);
  }
  free(x), free(residual), free(gain), free(bias), free(d), free(z), free(y), free(sums), free(more_sums), free(expected), free(row);
}

// The columns of a head in rows of `stride`; x holds q, k, v, then the prefix's keys and values, then the bias.
static void attention_of(double *out, const double *x, const void *more) {
  const hub_attention_shape *s = more;
  const double *k = x + s->rows * s->stride, *v = k + s->keys * s->key_stride, *prefix_keys = v + s->keys * s->key_stride,
               *prefix_values = prefix_keys + s->prefix * s->key_stride, *bias = prefix_values + s->prefix * s->key_stride;
  attention(out, x, k, v, prefix_keys, prefix_values, s->bias ? bias : 0, s);
}

typedef struct { ptrdiff_t rows, keys, width, prefix, window; int causal, biased; } attention_case;

static void attentions(attention_case c, int differentiates) {
  hub_attention_shape s = {
    .rows = c.rows, .keys = c.keys, .head_width = c.width, .stride = c.width + 3, .key_stride = c.width + 1, .scale = 0.4f, .causal = c.causal,
    .window = c.window, .prefix = c.prefix, .bias_stride = c.prefix + c.keys,
  };
  ptrdiff_t own = c.rows * s.stride, keys = c.keys * s.key_stride, before = c.prefix * s.key_stride;
  ptrdiff_t all = own + 2 * keys + 2 * before + (c.biased ? c.rows * s.bias_stride : 0);
  float *x = numbers(all), *k = x + own, *v = k + keys, *out = calloc(own, 4), *d = numbers(own);
  s.prefix_keys = v + keys;
  s.prefix_values = s.prefix_keys + before;
  s.bias = c.biased ? s.prefix_values + before : 0;
  for (ptrdiff_t i = 0; i < c.rows; i++)
    for (ptrdiff_t j = c.width; j < s.stride; j++) d[i * s.stride + j] = 0;
  double *in = doubles(x, all), *expected = calloc(own, sizeof(double));
  attention_of(expected, in, &s);
  float *scratch = aligned_alloc(64, (kernels->attention_scratch(c.rows, c.prefix, c.keys, c.width) * 4 + 127) / 64 * 64);
  kernels->attention(out, x, k, v, &s, scratch);
  compare("attention", out, expected, own, 2e-5);
  free(scratch), free(in), free(expected);
  if (differentiates) {
    float *g = calloc(all, 4), *prefixes = g + own + 2 * keys;
    hub_attention_gradients to = {
      .q = g, .k = g + own, .v = g + own + keys, .key_stride = s.key_stride, .prefix_keys = before ? prefixes : 0,
      .prefix_values = before ? prefixes + before : 0, .bias = c.biased ? prefixes + 2 * before : 0,
    };
    scratch = aligned_alloc(64, (kernels->attention_backward_scratch(c.rows, c.prefix, c.keys, c.width) * 4 + 127) / 64 * 64);
    kernels->attention_backward(&to, d, x, k, v, &s, scratch);
    expected = gradient(attention_of, &s, x, all, d, own);
    compare("derivative of attention", g, expected, all, 5e-5);
    free(scratch), free(expected), free(g);
  }
  free(x), free(out), free(d);
}

static void rotations(ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width) {
  ptrdiff_t count = rows * heads * width;
  float *x = numbers(count), *cosines = numbers(rows * width / 2), *sines = numbers(rows * width / 2), *y = malloc(count * 4);
  double *in = doubles(x, count), *expected = malloc(count * sizeof(double));
  rotate(expected, in, cosines, sines, rows, heads, width);
  kernels->rotate(y, x, cosines, sines, rows, heads, width);
  compare("rotation", y, expected, count, 1e-6);
  free(x), free(cosines), free(sines), free(y), free(in), free(expected);
}

static void softmaxes(ptrdiff_t width) {
  float *x = numbers(width);
  for (ptrdiff_t i = 0; i < width; i++) x[i] *= 20;
  double *expected = doubles(x, width), first = expected[0];
  softmax(expected, width);
  double log_sum = first - log(expected[0]);
  float found = kernels->softmax(x, width);
  compare("softmax", x, expected, width, 1e-6);
  compare("logarithm of the sum", &found, &log_sum, 1, 1e-6);
  free(x), free(expected);
}

typedef struct { ptrdiff_t count, rows, width; const float *residual; } fusion;
static void fuse_of(double *out, const double *x, const void *more) {
  const fusion *f = more;
  fuse(out, x, f->residual, f->count, f->rows, f->width, 2);
}

static void fusions(ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width) {
  ptrdiff_t size = rows * width, all = (count + 1) * size;
  float *x = numbers(all), *residual = numbers(size), *out = malloc(size * 4), *weights = malloc(rows * count * 4), *d = numbers(size), *g = malloc(all * 4);
  const float *inputs[16];
  float *slopes[16];
  for (ptrdiff_t j = 0; j < count; j++) {
    inputs[j] = x + (j + 1) * size;
    slopes[j] = g + (j + 1) * size;
  }
  fusion f = {count, rows, width, residual};
  double *in = doubles(x, all), *expected = malloc(size * sizeof(double));
  fuse_of(expected, in, &f);
  kernels->fuse(out, weights, x, inputs, residual, count, rows, width, 2);
  compare("fusion", out, expected, size, 1e-5);
  kernels->fuse_backward(g, slopes, d, weights, x, inputs, count, rows, width, 2);
  free(expected);
  expected = gradient(fuse_of, &f, x, all, d, size);
  compare("derivative of fusion", g, expected, all, 2e-5);
  free(x), free(residual), free(out), free(weights), free(d), free(g), free(in), free(expected);
}

static void columns(ptrdiff_t rows, ptrdiff_t width) {
  float *x = numbers(rows * width), *z = numbers(rows * width), *s = numbers(width), *y = numbers(rows * width);
  double *expected = malloc(rows * width * sizeof(double)), *sums = malloc(width * sizeof(double));
  for (ptrdiff_t i = 0; i < rows * width; i++) expected[i] = y[i] + 0.25 * x[i];
  kernels->add_scaled(y, x, 0.25f, rows * width);
  compare("scaled sum", y, expected, rows * width, 1e-6);
  for (ptrdiff_t i = 0; i < rows * width; i++) expected[i] = (double)x[i] * s[i % width];
  kernels->scale_columns(y, x, s, rows, width);
  compare("scaled columns", y, expected, rows * width, 1e-6);
  for (ptrdiff_t i = 0; i < rows * width; i++) expected[i] = (double)x[i] * z[i];
  kernels->multiply(y, x, z, rows * width);
  compare("product of elements", y, expected, rows * width, 1e-6);
  for (int weighted = 0; weighted < 2; weighted++) {
    for (ptrdiff_t j = 0; j < width; j++) {
      sums[j] = s[j];
      for (ptrdiff_t i = 0; i < rows; i++) sums[j] += weighted ? (double)x[i * width + j] * z[i * width + j] : x[i * width + j];
    }
    memcpy(y, s, width * 4);
    kernels->sum_rows(y, x, weighted ? z : 0, rows, width);
    compare("sums of columns", y, sums, width, 1e-5);
  }
  free(x), free(z), free(s), free(y), free(expected), free(sums);
}

static void check(void) {
  int before = failures;
  state = 1;
  products();
  activations();
  for (ptrdiff_t width = 1; width < 40; width += 6) norms(3, width);
  attentions((attention_case){.rows = 19, .keys = 19, .width = 5}, 1);
  attentions((attention_case){.rows = 17, .keys = 23, .width = 13, .prefix = 3, .biased = 1}, 1);
  attentions((attention_case){.rows = 9, .keys = 4, .width = 6, .prefix = 1}, 1);
  attentions((attention_case){.rows = 9, .keys = 9, .width = 8, .prefix = 2, .causal = 1, .biased = 1}, 1);
  attentions((attention_case){.rows = 10, .keys = 13, .width = 7, .prefix = 2, .causal = 1, .window = 4}, 1);
  attentions((attention_case){.rows = 3, .keys = 13, .width = 21, .prefix = 2, .causal = 1, .window = 4, .biased = 1}, 1);
  attentions((attention_case){.rows = 1, .keys = 301, .width = 64, .prefix = 5, .causal = 1}, 0);
  attentions((attention_case){.rows = 61, .keys = 61, .width = 64, .causal = 1}, 0);
  attentions((attention_case){.rows = 40, .keys = 600, .width = 16, .causal = 1, .window = 9}, 0);
  attentions((attention_case){.rows = 301, .keys = 301, .width = 17, .prefix = 5}, 0);
  for (ptrdiff_t width = 2; width < 80; width += 14) rotations(3, 2, width);
  for (ptrdiff_t width = 1; width < 3000; width = 3 * width + 1) softmaxes(width);
  fusions(3, 4, 19);
  fusions(8, 2, 32);
  for (ptrdiff_t width = 1; width < 40; width += 7) columns(5, width);
  printf("%-12s %s\n", kernels->name, failures == before ? "agrees with plain loops" : "DIFFERS");
  fflush(stdout);
}

int main(int count, char **names) {
  for (int i = 1; i < count; i++) {
    int found = 0;
    for (size_t j = 0; hub_kernels_at(j); j++) found |= strcmp(hub_kernels_at(j)->name, names[i]) == 0;
    if (found) continue;
    printf("%s is not there\n", names[i]);
    failures++;
  }
  for (size_t index = 0; (kernels = hub_kernels_at(index)); index++) check();
#ifdef EMULATED
  extern const hub_kernels EMULATED;
  kernels = &EMULATED;
  check();
#endif
  return failures != 0;
}
