// Scaled dot-product attention over one sequence and head (Vaswani et al. 2017). Keys and values are packed once.
// Scores exist only for a block of queries and a block of keys: the softmax is taken block by block, and what was
// summed under a smaller maximum is scaled down (Milakov and Gimelshein 2018).
// Prefixes (Li and Liang 2021) are keys like others; no query is before them.
// Few queries, as when a text is continued token by token, read the keys where they lie.

#define QUERY_BLOCK (4 * ROWS)
#define FEW_QUERIES 8
#define KEY_BLOCK 256

static const hub_epilogue plain = {.scale = 1};
static const hub_blocks few_rows = {.rows = 12 * ROWS, .depth = 256};  // of the way back

// p = exp(p − largest so far), whose sum is added up; returns what everything before is to be multiplied by.
static float softmax_step(float *p, ptrdiff_t width, float *largest_so_far, float *sum_so_far) {
  ptrdiff_t i = 0;
  vf peak = splat(*largest_so_far);
  for (; i + W <= width; i += W) peak = vmax(peak, load(p + i));
  float most = largest(peak);
  for (; i < width; i++) most = p[i] > most ? p[i] : most;
  vf total = splat(0);
  for (i = 0; i + W <= width; i += W) {
    vf e = vexp(load(p + i) - most);
    store(p + i, e);
    total += e;
  }
  float rest = 0;
  if (i < width) {
    store_part(p + i, vexp(load_part(p + i, width - i) - most), width - i);
    for (; i < width; i++) rest += p[i];
  }
  float correction = vexp(splat(*largest_so_far - most))[0];
  *largest_so_far = most;
  *sum_so_far = *sum_so_far * correction + sum(total) + rest;
  return correction;
}

static void scale_row(float *x, float factor, ptrdiff_t width) {
  ptrdiff_t i = 0;
  for (; i + W <= width; i += W) store(x + i, load(x + i) * factor);
  for (; i < width; i++) x[i] *= factor;
}

// p = softmax(p) over one row; returns log Σ exp(p).
static float softmax(float *p, ptrdiff_t width) {
  float largest_so_far = -__builtin_inff(), sum_so_far = 0;
  softmax_step(p, width, &largest_so_far, &sum_so_far);
  scale_row(p, 1 / sum_so_far, width);
  return largest_so_far + __builtin_logf(sum_so_far);
}

static void softmax_rows(float *p, ptrdiff_t rows, ptrdiff_t width) {
  for (ptrdiff_t row = 0; row < rows; row++) softmax(p + row * width, width);
}

// The keys and values that a sequence's queries see: the prefix's and its own behind them.
typedef struct {
  const float *k, *v;
  ptrdiff_t stride;
} seen_rows;

static void join_rows(float *joined, const float *prefix, const float *own, const hub_attention_shape *shape) {
  ptrdiff_t width = shape->head_width, stride = shape->key_stride;
  for (ptrdiff_t i = 0; i < shape->prefix; i++, joined += width, prefix += stride) __builtin_memcpy(joined, prefix, width * sizeof(float));
  for (ptrdiff_t i = 0; i < shape->keys; i++, joined += width, own += stride) __builtin_memcpy(joined, own, width * sizeof(float));
}

// Copied into `joined` only where there is a prefix.
static seen_rows joined_rows(const float *k, const float *v, const hub_attention_shape *shape, float *joined) {
  if (shape->prefix == 0) return (seen_rows){k, v, shape->key_stride};
  float *values = joined + (shape->prefix + shape->keys) * shape->head_width;
  join_rows(joined, shape->prefix_keys, k, shape);
  join_rows(values, shape->prefix_values, v, shape);
  return (seen_rows){joined, values, shape->head_width};
}

static ptrdiff_t joined_size(ptrdiff_t prefix, ptrdiff_t keys, ptrdiff_t head_width) { return prefix > 0 ? 2 * (prefix + keys) * head_width : 0; }

// The number of keys up to the query's own, the prefix's among them.
static ptrdiff_t seen_by(ptrdiff_t query, const hub_attention_shape *shape) {
  return shape->causal ? shape->prefix + shape->keys - shape->rows + query + 1 : shape->prefix + shape->keys;
}

// How many of the keys [key, key + count) a query sees; sets the weights of those after them to zero. The scores of those
// that have left the window are the least there are: their weights become zero with the first key that is seen.
static ptrdiff_t hide(float *p, ptrdiff_t query, ptrdiff_t key, ptrdiff_t count, const hub_attention_shape *shape) {
  if (!shape->causal) return count;
  ptrdiff_t visible = seen_by(query, shape) - key;
  ptrdiff_t first = shape->prefix > key ? shape->prefix - key : 0, left = shape->window > 0 ? visible - shape->window : 0;
  visible = visible < 0 ? 0 : visible < count ? visible : count;
  for (ptrdiff_t j = first; j < left && j < visible; j++) p[j] = -__FLT_MAX__;
  for (ptrdiff_t j = visible; j < count; j++) p[j] = 0;
  return visible;
}

static ptrdiff_t attention_scratch(ptrdiff_t rows, ptrdiff_t prefix, ptrdiff_t keys, ptrdiff_t head_width) {
  ptrdiff_t all = prefix + keys;
  if (rows <= FEW_QUERIES) return all;
  return packed_size_float32(all, head_width) + packed_size_float32(head_width, all) + 2 * QUERY_BLOCK * ROW_STRIDE + 2 * QUERY_BLOCK +
         joined_size(prefix, keys, head_width);
}

// The key, or value, that a query sees as its j-th.
INLINE const float *seen_row(const float *prefix, const float *own, ptrdiff_t j, const hub_attention_shape *shape) {
  return j < shape->prefix ? prefix + j * shape->key_stride : own + (j - shape->prefix) * shape->key_stride;
}

static void attend_few(float *out, const float *q, const float *k, const float *v, const hub_attention_shape *shape, float *p) {
  ptrdiff_t width = shape->head_width;
  for (ptrdiff_t i = 0; i < shape->rows; i++, q += shape->stride, out += shape->stride) {
    const float *bias = shape->bias ? shape->bias + i * shape->bias_stride : 0;
    ptrdiff_t count = seen_by(i, shape), left = shape->causal && shape->window > 0 ? count - shape->window : 0;
    for (ptrdiff_t j = 0; j < count; j++) p[j] = dot(q, seen_row(shape->prefix_keys, k, j, shape), width) * shape->scale + (bias ? bias[j] : 0);
    for (ptrdiff_t j = shape->prefix; j < left; j++) p[j] = -__FLT_MAX__;
    softmax_rows(p, 1, count);
    for (ptrdiff_t c = 0; c < width; c++) out[c] = 0;
    for (ptrdiff_t j = 0; j < count; j++) add_scaled(out, seen_row(shape->prefix_values, v, j, shape), p[j], width);
  }
}

static __attribute__((noinline)) void multiply_rows(const row_block *block, const float *packed, ptrdiff_t n, ptrdiff_t k, const tile_output *out) {
  multiply_block(FLOAT32, block, packed, n, k, *out);
}

// scores = scale · q · keysᵀ + bias for a block of queries and `count` keys. A head is rarely wider than one range of depth.
static void score(float *scores, float *units, const float *q, ptrdiff_t block, const float *keys, ptrdiff_t count, const float *bias,
                  const hub_attention_shape *shape) {
  ptrdiff_t width = shape->head_width;
  for (ptrdiff_t p = 0; p < width; p += HUB_DEPTH_LIMIT) {
    ptrdiff_t depth = width - p < HUB_DEPTH_LIMIT ? width - p : HUB_DEPTH_LIMIT;
    for (ptrdiff_t i = 0; i < block; i++) {
      to_units(FLOAT32, units + i * ROW_STRIDE, q + i * shape->stride + p, 1, depth, 0, 0);
      scale_row(units + i * ROW_STRIDE, shape->scale, depth);
    }
    row_block queries = {.units = units, .rows = block, .first = p, .depth = depth};
    tile_output out = {
      .c = scores, .stride_c = ROW_STRIDE, .add = p > 0, .finish = bias && p + depth == width, .scale = 1,
      .residual = bias, .residual_stride = shape->bias_stride,
    };
    multiply_rows(&queries, keys, count, width, &out);
  }
}

static void attention(float *out, const float *q, const float *k, const float *v, const hub_attention_shape *shape, float *scratch) {
  if (shape->rows <= FEW_QUERIES) return attend_few(out, q, k, v, shape, scratch);
  ptrdiff_t rows = shape->rows, width = shape->head_width, stride = shape->stride, all = shape->prefix + shape->keys;
  float *keys = scratch, *values = keys + packed_size_float32(all, width), *units = values + packed_size_float32(width, all);
  float *scores = units + QUERY_BLOCK * ROW_STRIDE, *most = scores + QUERY_BLOCK * ROW_STRIDE, *sums = most + QUERY_BLOCK;
  seen_rows seen = joined_rows(k, v, shape, sums + QUERY_BLOCK);
  pack_float32(keys, seen.k, all, width, seen.stride, 1);
  pack_float32(values, seen.v, width, all, 1, seen.stride);
  for (ptrdiff_t row = 0; row < rows; row += QUERY_BLOCK, q += QUERY_BLOCK * stride, out += QUERY_BLOCK * stride) {
    ptrdiff_t block = rows - row < QUERY_BLOCK ? rows - row : QUERY_BLOCK;
    ptrdiff_t visible = seen_by(row + block - 1, shape);  // by the last of the block
    for (ptrdiff_t key = 0; key < visible; key += KEY_BLOCK) {
      ptrdiff_t count = visible - key < KEY_BLOCK ? visible - key : KEY_BLOCK;
      score(scores, units, q, block, keys + key * width, count, shape->bias ? shape->bias + row * shape->bias_stride + key : 0, shape);
      for (ptrdiff_t i = 0; i < block; i++) {
        if (key == 0) {
          most[i] = -__builtin_inff();
          sums[i] = 0;
        }
        float *p = scores + i * ROW_STRIDE;
        float correction = softmax_step(p, hide(p, row + i, key, count, shape), most + i, sums + i);
        if (key > 0 && correction != 1) scale_row(out + i * stride, correction, width);
      }
      row_block weights = {.units = scores, .rows = block, .first = key, .depth = count};
      tile_output to_out = {.c = out, .stride_c = stride, .add = key > 0};
      multiply_rows(&weights, values, width, all, &to_out);
    }
    for (ptrdiff_t i = 0; i < block; i++) scale_row(out + i * stride, 1 / sums[i], width);
  }
}

static ptrdiff_t backward_packed_size(ptrdiff_t keys, ptrdiff_t head_width) {
  ptrdiff_t by_key = packed_size_float32(keys, head_width), by_column = packed_size_float32(head_width, keys);
  return by_key > by_column ? by_key : by_column;
}

static ptrdiff_t attention_backward_scratch(ptrdiff_t rows, ptrdiff_t prefix, ptrdiff_t keys, ptrdiff_t head_width) {
  ptrdiff_t all = prefix + keys, joined = joined_size(prefix, keys, head_width);
  ptrdiff_t of_keys = backward_packed_size(all, head_width), of_queries = backward_packed_size(rows, head_width);
  return (of_keys > of_queries ? of_keys : of_queries) + 2 * rows * all + scratch_of(few_rows) + joined + joined / 2;
}

// c = pᵀ · packed for each key that was seen; a prefix's rows are added to those of `prefix`.
static void multiply_keys(float *c, float *prefix, const float *p, const float *packed, const hub_attention_gradients *to,
                          const hub_attention_shape *shape, float *joined, float *units) {
  ptrdiff_t rows = shape->rows, width = shape->head_width, all = shape->prefix + shape->keys;
  if (shape->prefix == 0) {
    multiply_float32(c, to->key_stride, p, 1, all, packed, all, width, rows, &plain, few_rows, units);
    return;
  }
  multiply_float32(joined, width, p, 1, all, packed, all, width, rows, &plain, few_rows, units);
  for (ptrdiff_t i = 0; prefix && i < shape->prefix; i++) add_scaled(prefix + i * shape->key_stride, joined + i * width, 1, width);
  joined += shape->prefix * width;
  for (ptrdiff_t i = 0; i < shape->keys; i++) __builtin_memcpy(c + i * to->key_stride, joined + i * width, width * sizeof(float));
}

// With P the softmax: dV = Pᵀ·d, dP = d·Vᵀ, dB = P ⊙ (dP − Σ dP ⊙ P), dS = dB · scale, dQ = dS·K, dK = dSᵀ·Q.
static void attention_backward(const hub_attention_gradients *to, const float *d, const float *q, const float *k, const float *v,
                               const hub_attention_shape *shape, float *scratch) {
  ptrdiff_t rows = shape->rows, width = shape->head_width, stride = shape->stride, all = shape->prefix + shape->keys;
  ptrdiff_t of_keys = backward_packed_size(all, width), of_queries = backward_packed_size(rows, width);
  float *p = scratch, *ds = p + rows * all, *units = ds + rows * all, *packed = units + scratch_of(few_rows);
  float *joined = packed + (of_keys > of_queries ? of_keys : of_queries);
  float *joined_gradient = joined + joined_size(shape->prefix, shape->keys, width);
  const hub_epilogue scaled = {.scale = shape->scale, .residual = shape->bias, .residual_stride = shape->bias_stride};
  seen_rows seen = joined_rows(k, v, shape, joined);
  pack_float32(packed, seen.k, all, width, seen.stride, 1);
  multiply_float32(p, all, q, stride, 1, packed, rows, all, width, &scaled, few_rows, units);
  for (ptrdiff_t i = 0; i < rows; i++) softmax_rows(p + i * all, 1, hide(p + i * all, i, 0, all, shape));
  pack_float32(packed, seen.v, all, width, seen.stride, 1);
  multiply_float32(ds, all, d, stride, 1, packed, rows, all, width, &plain, few_rows, units);
  for (ptrdiff_t i = 0; i < rows; i++) {
    float total = 0, *row = ds + i * all;
    for (ptrdiff_t j = 0; j < all; j++) total += row[j] * p[i * all + j];
    for (ptrdiff_t j = 0; j < all; j++) row[j] = p[i * all + j] * (row[j] - total);
    for (ptrdiff_t j = 0; to->bias && j < all; j++) to->bias[i * shape->bias_stride + j] += row[j];
    scale_row(row, shape->scale, all);
  }
  pack_float32(packed, d, width, rows, 1, stride);
  multiply_keys(to->v, to->prefix_values, p, packed, to, shape, joined_gradient, units);
  pack_float32(packed, seen.k, width, all, 1, seen.stride);
  multiply_float32(to->q, stride, ds, all, 1, packed, rows, width, all, &plain, few_rows, units);
  pack_float32(packed, q, width, rows, 1, stride);
  multiply_keys(to->k, to->prefix_keys, ds, packed, to, shape, joined_gradient, units);
}
