// The kernels as plain loops in double precision, and the numbers that they are tried on.
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "hub_kernels.h"

static uint64_t state = 1;

// The same numbers in −1...1 on every machine.
static float number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)(int32_t)(state >> 32) / 2147483647.0f;
}

static float *numbers(ptrdiff_t count) {
  float *x = malloc((count + 1) * sizeof(float));
  for (ptrdiff_t i = 0; i < count; i++) x[i] = number();
  return x;
}

static double activation(double x, hub_activation kind) {
  switch (kind) {
    case HUB_IDENTITY: return x;
    case HUB_RELU: return x > 0 ? x : 0;
    case HUB_GELU: return 0.5 * x * (1 + erf(x / sqrt(2)));
    case HUB_GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case HUB_SILU: return x / (1 + exp(-x));
    case HUB_TANH: return tanh(x);
    case HUB_SIGMOID: return 1 / (1 + exp(-x));
    case HUB_LEAKY_RELU: return x > 0 ? x : 0.01 * x;
    case HUB_ELU: return x > 0 ? x : expm1(x);
    case HUB_QUICK_GELU: return x / (1 + exp(-1.702 * x));
    case HUB_MISH: return x * tanh(log1p(exp(x)));
    case HUB_RELU_SQUARED: return x > 0 ? x * x : 0;
    case HUB_RELU6: return fmin(6, fmax(0, x));
    case HUB_LAPLACE: return 0.5 * (1 + erf((x - 0.707107) / (0.282095 * sqrt(2))));
    case HUB_GELU_10: return fmin(10, 0.5 * x * (1 + erf(x / sqrt(2))));
  }
  return NAN;
}

// The nearest number of eight significant bits, ties to even.
static double bfloat16(double x) {
  int exponent;
  double fraction = frexp(x, &exponent);
  return ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
}

// The scale of a row, whose elements become whole multiples of it: 64 steps on each side of zero, or 254 in all.
static float quantise(double *q, const float *x, ptrdiff_t count, int weights) {
  float lowest = 0, highest = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    lowest = fminf(lowest, x[i]);
    highest = fmaxf(highest, x[i]);
  }
  float extent = weights ? fmaxf(-lowest, highest) : highest - lowest, steps = weights ? 64 : 254, factor = steps / extent;
  for (ptrdiff_t i = 0; i < count; i++) {
    volatile float product = x[i] * factor;  // rounded before it is rounded to an integer
    q[i] = extent == 0 ? 0 : nearbyintf(product);
  }
  return extent / steps;
}

static void layer_norm(double *y, const double *x, const float *gain, const float *bias, ptrdiff_t width, double epsilon) {
  double mean = 0, variance = 0;
  for (ptrdiff_t i = 0; i < width; i++) mean += x[i] / width;
  for (ptrdiff_t i = 0; i < width; i++) variance += (x[i] - mean) * (x[i] - mean) / width;
  for (ptrdiff_t i = 0; i < width; i++) y[i] = (x[i] - mean) / sqrt(variance + epsilon) * gain[i] + bias[i];
}

static void rms_norm(double *y, const double *x, const float *gain, ptrdiff_t width, double epsilon) {
  double square = 0;
  for (ptrdiff_t i = 0; i < width; i++) square += x[i] * x[i] / width;
  for (ptrdiff_t i = 0; i < width; i++) y[i] = x[i] / sqrt(square + epsilon) * gain[i];
}

static void softmax(double *p, ptrdiff_t count) {
  double most = -INFINITY, sum = 0;
  for (ptrdiff_t i = 0; i < count; i++) most = fmax(most, p[i]);
  for (ptrdiff_t i = 0; i < count; i++) sum += p[i] = exp(p[i] - most);
  for (ptrdiff_t i = 0; i < count; i++) p[i] /= sum;
}

// q is [rows, stride], k and v are [keys, key_stride]; the prefix's rows come before those of k and v.
static void attention(double *out, const double *q, const double *k, const double *v, const double *prefix_keys, const double *prefix_values,
                      const double *bias, const hub_attention_shape *s) {
  ptrdiff_t all = s->prefix + s->keys;
  double *p = malloc(all * sizeof(double));
  for (ptrdiff_t i = 0; i < s->rows; i++) {
    ptrdiff_t seen = s->causal ? all - s->rows + i + 1 : all;
    for (ptrdiff_t j = 0; j < seen; j++) {
      const double *key = j < s->prefix ? prefix_keys + j * s->key_stride : k + (j - s->prefix) * s->key_stride;
      p[j] = bias ? bias[i * s->bias_stride + j] : 0;
      for (ptrdiff_t c = 0; c < s->head_width; c++) p[j] += q[i * s->stride + c] * key[c] * s->scale;
      if (s->causal && s->window && j >= s->prefix && j < seen - s->window) p[j] = -INFINITY;
    }
    softmax(p, seen);
    for (ptrdiff_t c = 0; c < s->head_width; c++) {
      double sum = 0;
      for (ptrdiff_t j = 0; j < seen; j++) sum += p[j] * (j < s->prefix ? prefix_values[j * s->key_stride + c] : v[(j - s->prefix) * s->key_stride + c]);
      out[i * s->stride + c] = sum;
    }
  }
  free(p);
}

static void rotate(double *y, const double *x, const float *cosines, const float *sines, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width) {
  for (ptrdiff_t head = 0; head < rows * heads; head++, x += width, y += width) {
    for (ptrdiff_t i = 0; i < width / 2; i++) {
      double c = cosines[head / heads * (width / 2) + i], s = sines[head / heads * (width / 2) + i], a = x[i], b = x[i + width / 2];
      y[i] = a * c - b * s;
      y[i + width / 2] = b * c + a * s;
    }
  }
}

// x holds the query and then each child's rows.
static void fuse(double *out, const double *x, const float *residual, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, double temperature) {
  double p[16];
  for (ptrdiff_t row = 0; row < rows; row++) {
    for (ptrdiff_t j = 0; j < count; j++) {
      p[j] = 0;
      for (ptrdiff_t i = 0; i < width; i++) p[j] += x[row * width + i] * x[((j + 1) * rows + row) * width + i] / temperature;
    }
    softmax(p, count);
    for (ptrdiff_t i = 0; i < width; i++) {
      out[row * width + i] = residual ? residual[row * width + i] : 0;
      for (ptrdiff_t j = 0; j < count; j++) out[row * width + i] += p[j] * x[((j + 1) * rows + row) * width + i];
    }
  }
}
