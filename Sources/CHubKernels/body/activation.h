// Pointwise non-linearities and their derivatives.

#define SQRT_HALF 0.70710678f        // 1/√2
#define SQRT_2_PI 0.79788456f        // √(2/π)
#define INV_SQRT_2PI 0.39894228f     // 1/√(2π)

INLINE vf gelu_tanh_inner(vf x) { return vtanh(SQRT_2_PI * (x + 0.044715f * x * x * x)); }

INLINE vf activation_of(vf x, hub_activation activation) {
  switch (activation) {
    case HUB_IDENTITY: return x;
    case HUB_RELU: return vmax(splat(0), x);
    case HUB_GELU: return 0.5f * x * (1.0f + verf(x * SQRT_HALF));
    case HUB_GELU_TANH: return 0.5f * x * (1.0f + gelu_tanh_inner(x));
    case HUB_SILU: return x * vsigmoid(x);
    case HUB_TANH: return vtanh(x);
    case HUB_SIGMOID: return vsigmoid(x);
    case HUB_LEAKY_RELU: return vmax(splat(0), x) + 0.01f * vmin(splat(0), x);
    case HUB_ELU: return vmax(splat(0), x) + vexp(vmin(splat(0), x)) - 1.0f;
  }
  return x;
}

INLINE vf derivative_of(vf x, hub_activation activation) {
  switch (activation) {
    case HUB_IDENTITY: return splat(1);
    case HUB_RELU: return choose(x > 0, splat(1), splat(0));
    case HUB_GELU: return 0.5f * (1.0f + verf(x * SQRT_HALF)) + x * INV_SQRT_2PI * vexp(-0.5f * x * x);
    case HUB_GELU_TANH: {
      vf t = gelu_tanh_inner(x);
      return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * SQRT_2_PI * (1.0f + 3 * 0.044715f * x * x);
    }
    case HUB_SILU: {
      vf s = vsigmoid(x);
      return s * (1.0f + x * (1.0f - s));
    }
    case HUB_TANH: {
      vf t = vtanh(x);
      return 1.0f - t * t;
    }
    case HUB_SIGMOID: {
      vf s = vsigmoid(x);
      return s * (1.0f - s);
    }
    case HUB_LEAKY_RELU: return choose(x > 0, splat(1), splat(0.01f));
    case HUB_ELU: return vexp(vmin(splat(0), x));
  }
  return splat(1);
}

static void activate(float *y, const float *x, ptrdiff_t count, hub_activation activation) {
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) store(y + i, activation_of(load(x + i), activation));
  if (i < count) store_part(y + i, activation_of(load_part(x + i, count - i), activation), count - i);
}

static void activate_backward(float *dx, const float *dy, const float *x, ptrdiff_t count, hub_activation activation) {
  ptrdiff_t i = 0;
  for (; i + W <= count; i += W) store(dx + i, load(dy + i) * derivative_of(load(x + i), activation));
  if (i < count) {
    ptrdiff_t part = count - i;
    store_part(dx + i, load_part(dy + i, part) * derivative_of(load_part(x + i, part), activation), part);
  }
}
