// All loops for one instruction set: the including file has opened its target region and set W, ROWS and NAME.
#include "vector.h"
#include "activation.h"
#include "products.h"
#include "units.h"
#include "gemm.h"
#include "peak.h"
#include "norm.h"
#include "columns.h"
#include "attention.h"
#include "fusion.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const hub_kernels JOIN(hub_kernels_, NAME) = {
  .name = TEXT(NAME), .panel = PANEL, .row_block = ROWS,
  .float32 = {packed_size_float32, pack_float32, multiply_float32, scratch_of, peak_float32, peak_operations_float32},
  .bfloat16 = {packed_size_bfloat16, pack_bfloat16, multiply_bfloat16, scratch_of, peak_bfloat16, peak_operations_bfloat16},
  .int8 = {packed_size_int8, pack_int8, multiply_int8, scratch_of, peak_int8, peak_operations_int8},
  .attention_scratch = attention_scratch, .attention = attention,
  .attention_backward_scratch = attention_backward_scratch, .attention_backward = attention_backward,
  .layer_norm = layer_norm, .layer_norm_backward = layer_norm_backward,
  .rms_norm = rms_norm, .rms_norm_backward = rms_norm_backward,
  .fuse = fuse, .fuse_backward = fuse_backward,
  .rotate = rotate, .softmax = softmax, .activate = activate, .activate_backward = activate_backward,
  .add_scaled = add_scaled, .multiply = multiply_elements, .scale_columns = scale_columns, .sum_rows = sum_rows,
};
