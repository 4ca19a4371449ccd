import CHubKernels

/// What a frozen weight is kept in for the products with it. Activations stay float32 between operations, sums are
/// taken in float32 (of ``int8``: exactly), and gradients flow through the weight's float32 values.
public enum Precision: String, CaseIterable, Sendable {
  case float32
  /// Weights and the activations that meet them are rounded to bfloat16: eight bits of significance.
  case bfloat16
  /// Weights are quantised by output channel, activations by row as they come, both symmetrically to −127...127.
  case int8

  func gemm(of kernels: hub_kernels) -> hub_gemm {
    switch self {
    case .float32: kernels.float32
    case .bfloat16: kernels.bfloat16
    case .int8: kernels.int8
    }
  }
}
