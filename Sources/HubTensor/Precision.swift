import CHubKernels

/// What a frozen weight is kept in for the products with it. Activations stay float32 between operations, sums are
/// taken in float32 (of ``int8``: exactly), and gradients flow through the weight's float32 values.
public enum Precision: String, CaseIterable, Sendable {
  case float32
  /// Weights and the activations that meet them are rounded to bfloat16: eight bits of significance.
  case bfloat16
  /// Weights are quantised by output channel to −64...64, activations by row as they come to 0...255, with a zero of
  /// the row's own. With seven bits on one side no sum of two products leaves 16 bits, so that processors without a dot
  /// product of bytes are fast as well; results are the same on all of them.
  case int8

  func gemm(of kernels: hub_kernels) -> hub_gemm {
    switch self {
    case .float32: kernels.float32
    case .bfloat16: kernels.bfloat16
    case .int8: kernels.int8
    }
  }
}
