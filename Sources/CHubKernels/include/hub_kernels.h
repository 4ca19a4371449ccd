// The compute core: loops over float32 activations, one table of functions per instruction set.
//
// Matrices are row-major with a stride in elements. Nothing here allocates, starts threads or keeps state:
// the caller lends scratch and splits the work. Sums may be taken in any order that the vector width suggests,
// but each result depends only on its own row, so splitting work by rows or panels never changes a bit.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
  HUB_IDENTITY,
  HUB_RELU,
  HUB_GELU,        // x/2 (1 + erf(x/√2))
  HUB_GELU_TANH,   // x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
  HUB_SILU,        // x σ(x)
  HUB_TANH,
  HUB_SIGMOID,
  HUB_LEAKY_RELU,  // slope 0.01
  HUB_ELU,         // exp(x) − 1 below 0
  HUB_QUICK_GELU,  // x σ(1.702 x)
  HUB_MISH,        // x tanh(ln(1 + exp(x)))
  HUB_RELU_SQUARED,
  HUB_RELU6,       // between 0 and 6
  HUB_LAPLACE,     // (1 + erf((x − μ) / (σ √2))) / 2, μ = 0.707107, σ = 0.282095
  HUB_GELU_10,     // GELU between −10 and 10
} hub_activation;

// What happens to a tile of c = a·bᵀ while it is in registers:
// c = activation(a·bᵀ + bias) · scale + residual.
typedef struct {
  const float *bias;      // [n], or null
  const float *residual;  // [m, n], or null
  ptrdiff_t residual_stride;
  float scale;
  hub_activation activation;
} hub_epilogue;

// How much of a product is in the caches at a time: a block of a's rows, over a range of k that is `depth` units of four
// bytes deep, meets one panel of b after the other. Results depend on the depth alone.
typedef struct {
  ptrdiff_t rows;         // a multiple of row_block
  ptrdiff_t depth;        // at most HUB_DEPTH_LIMIT
} hub_blocks;
#define HUB_DEPTH_LIMIT 768

// Matrix products with b packed in one precision; a and c are float32 in all of them.
typedef struct {
  // The size of a packed b [n, k], in units of four bytes.
  ptrdiff_t (*packed_size)(ptrdiff_t n, ptrdiff_t k);
  // Packs b, element (j, p) at b[j·stride_n + p·stride_k], into panels of columns.
  void (*pack)(void *packed, const float *b, ptrdiff_t n, ptrdiff_t k, ptrdiff_t stride_n, ptrdiff_t stride_k);
  // c [m, n] = epilogue(a · bᵀ), a(i, p) at a[i·stride_m + p·stride_k].
  // The panels of b from column j on begin packed_size(j, k) behind the first, for j a multiple of the panel.
  void (*multiply)(float *c, ptrdiff_t stride_c, const float *a, ptrdiff_t stride_m, ptrdiff_t stride_k,
                   const void *packed, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const hub_epilogue *epilogue, hub_blocks blocks, float *scratch);
  // Floats that multiply needs.
  ptrdiff_t (*scratch)(hub_blocks blocks);
  // Multiplies and adds in registers alone, for measuring the most that multiply could reach.
  float (*peak)(ptrdiff_t rounds);
  ptrdiff_t peak_operations;  // in a round
} hub_gemm;

// The queries of one sequence in packed activations, the keys and values that they see, and the shape of attention over them.
typedef struct {
  ptrdiff_t rows, keys;   // queries; keys and values, without the prefix's
  ptrdiff_t head_width;
  ptrdiff_t stride;       // of q and the output, in floats
  ptrdiff_t key_stride;   // of k, v and the prefix
  float scale;            // of the scores
  int causal;             // the queries are the last of the keys: each sees those up to its own position
  ptrdiff_t window;       // so many of them at most, its own the last, and the whole prefix; all if 0
  ptrdiff_t prefix;       // rows of keys and values before the sequence's own, which every query sees
  const float *prefix_keys, *prefix_values;
  const float *bias;      // [rows, prefix + keys], added to the scaled scores, or null
  ptrdiff_t bias_stride;
} hub_attention_shape;

typedef struct {
  float *q, *k, *v;       // written; those of k and v are key_stride floats apart
  ptrdiff_t key_stride;
  float *prefix_keys, *prefix_values, *bias;  // added to where they are not null, with the strides of what they are of
} hub_attention_gradients;

typedef struct {
  const char *name;
  ptrdiff_t panel;        // columns in a packed panel
  ptrdiff_t row_block;    // rows that a product should have at least, where there are so many

  hub_gemm float32;
  hub_gemm bfloat16;      // a rounded to bfloat16 as well; sums in float32
  hub_gemm int8;          // b quantised by column to −64...64, a by row to 0...255, k ≤ 65536; sums exact

  // One head of one sequence: out = softmax(q·kᵀ·scale + bias)·v. scratch: attention_scratch(rows, prefix, keys, head_width) floats.
  ptrdiff_t (*attention_scratch)(ptrdiff_t rows, ptrdiff_t prefix, ptrdiff_t keys, ptrdiff_t head_width);
  void (*attention)(float *out, const float *q, const float *k, const float *v, const hub_attention_shape *shape, float *scratch);
  // Its derivative, from d = d(out).
  ptrdiff_t (*attention_backward_scratch)(ptrdiff_t rows, ptrdiff_t prefix, ptrdiff_t keys, ptrdiff_t head_width);
  void (*attention_backward)(const hub_attention_gradients *to, const float *d, const float *q, const float *k, const float *v,
                             const hub_attention_shape *shape, float *scratch);

  // y = norm(x + residual)·gain + bias over rows of `width`; residual may be null, y may be x.
  void (*layer_norm)(float *y, const float *x, const float *residual, const float *gain, const float *bias,
                     ptrdiff_t rows, ptrdiff_t width, float epsilon);
  // dx from dy; adds to dgain and dbias where they are not null.
  void (*layer_norm_backward)(float *dx, float *dgain, float *dbias, const float *dy, const float *x, const float *residual,
                              const float *gain, ptrdiff_t rows, ptrdiff_t width, float epsilon);

  // y = (x + residual)/√(mean (x + residual)² + epsilon)·gain over rows of `width`; residual may be null, y may be x.
  void (*rms_norm)(float *y, const float *x, const float *residual, const float *gain, ptrdiff_t rows, ptrdiff_t width, float epsilon);
  // dx from dy; adds to dgain where it is not null.
  void (*rms_norm_backward)(float *dx, float *dgain, const float *dy, const float *x, const float *residual, const float *gain,
                            ptrdiff_t rows, ptrdiff_t width, float epsilon);

  // AdapterFusion over `count` children: p_j = softmax_j(q·x_j / temperature), out = Σ p_j x_j + residual.
  // inputs: [count] pointers to [rows, width]; weights out: [rows, count]; residual may be null.
  void (*fuse)(float *out, float *weights, const float *q, const float *const *inputs, const float *residual,
               ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature);
  void (*fuse_backward)(float *dq, float *const *dinputs, const float *d, const float *weights, const float *q,
                        const float *const *inputs, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t width, float temperature);

  // Each head of `width` columns turned by the angles of its row, a pair of columns half a head apart by one angle (Su et
  // al. 2021): y = (a·cos − b·sin, b·cos + a·sin). cosines and sines are [rows, width / 2]; y may be x.
  void (*rotate)(float *y, const float *x, const float *cosines, const float *sines, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t width);

  // p = softmax(p) over one row; returns log Σ exp(p).
  float (*softmax)(float *p, ptrdiff_t width);
  void (*activate)(float *y, const float *x, ptrdiff_t count, hub_activation activation);
  // dx = dy · activation'(x)
  void (*activate_backward)(float *dx, const float *dy, const float *x, ptrdiff_t count, hub_activation activation);
  // y += scale · x
  void (*add_scaled)(float *y, const float *x, float scale, ptrdiff_t count);
  // y = x · z
  void (*multiply)(float *y, const float *x, const float *z, ptrdiff_t count);
  // y [rows, width] = x · s, with s one factor per column
  void (*scale_columns)(float *y, const float *x, const float *s, ptrdiff_t rows, ptrdiff_t width);
  // sums [width] += Σ over rows of x, or of x · z where z is not null
  void (*sum_rows)(float *sums, const float *x, const float *z, ptrdiff_t rows, ptrdiff_t width);
} hub_kernels;

// The bytes of the data cache of a level (1, 2, 3) as the processor itself says, and how many of its threads share it; 0
// where it does not say.
ptrdiff_t hub_cache_bytes(int level, ptrdiff_t *threads);

// The tables that this processor can run, best first; the last is always the portable one.
size_t hub_kernels_count(void);
const hub_kernels *hub_kernels_at(size_t index);

// Tells the processor that this thread is only waiting.
static inline void hub_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
