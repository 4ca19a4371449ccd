// Pointwise non-linearities and their derivatives.

#define SQRT_HALF 0.70710678f        // 1/√2
#define SQRT_2_PI 0.79788456f        // √(2/π)
#define INV_SQRT_2PI 0.39894228f     // 1/√(2π)

#define INV_SQRT_PI 0.56418958f      // 1/√π
#define LAPLACE_MEAN 0.707107f
#define LAPLACE_SCALE 2.5066264f     // 1/(0.282095 √2)

// tanh(ln(1 + eˣ)) = n / (n + 2) with n = eˣ (eˣ + 2); 1 where that would overflow.
INLINE vf mish_factor(vf x) {
  vf e = vexp(vmin(splat(20), x)), n = e * (e + 2.0f);
  return n / (n + 2.0f);
}

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
    case HUB_QUICK_GELU: return x * vsigmoid(1.702f * x);
    case HUB_MISH: return x * mish_factor(x);
    case HUB_RELU_SQUARED: return vmax(splat(0), x) * vmax(splat(0), x);
    case HUB_RELU6: return vmin(splat(6), vmax(splat(0), x));
    case HUB_LAPLACE: return 0.5f * (1.0f + verf((x - LAPLACE_MEAN) * LAPLACE_SCALE));
    case HUB_GELU_10: return vmin(splat(10), 0.5f * x * (1.0f + verf(x * SQRT_HALF)));
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
    case HUB_QUICK_GELU: {
      vf s = vsigmoid(1.702f * x);
      return s * (1.0f + 1.702f * x * (1.0f - s));
    }
    case HUB_MISH: {
      vf t = mish_factor(x);
      return t + x * (1.0f - t * t) * vsigmoid(x);
    }
    case HUB_RELU_SQUARED: return 2.0f * vmax(splat(0), x);
    case HUB_RELU6: return choose(x > 0, choose(x < 6, splat(1), splat(0)), splat(0));
    case HUB_LAPLACE: {
      vf z = (x - LAPLACE_MEAN) * LAPLACE_SCALE;
      return LAPLACE_SCALE * INV_SQRT_PI * vexp(-z * z);
    }
    case HUB_GELU_10:
      return choose(x < 10, 0.5f * (1.0f + verf(x * SQRT_HALF)) + x * INV_SQRT_2PI * vexp(-0.5f * x * x), splat(0));
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
