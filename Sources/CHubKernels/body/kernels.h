// All loops for one instruction set: the including file has opened its target region and set W, ROWS and NAME.
#include "vector.h"
#include "activation.h"
#include "gemm.h"
#include "norm.h"
#include "attention.h"
#include "fusion.h"
#include "columns.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const hub_kernels JOIN(hub_kernels_, NAME) = {
  .name = TEXT(NAME), .panel = PANEL, .row_block = ROWS,
  .packed_size = packed_size, .pack = pack, .gemm = gemm, .gemm_scratch = ROW_BLOCK * DEPTH_BLOCK,
  .attention_scratch = attention_scratch, .attention = attention,
  .attention_backward_scratch = attention_backward_scratch, .attention_backward = attention_backward,
  .layer_norm = layer_norm, .layer_norm_backward = layer_norm_backward,
  .fuse = fuse, .fuse_backward = fuse_backward,
  .activate = activate, .activate_backward = activate_backward,
  .add_scaled = add_scaled, .scale_columns = scale_columns, .sum_rows = sum_rows,
};
