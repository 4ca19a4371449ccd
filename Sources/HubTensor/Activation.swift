import CHubKernels

/// A pointwise non-linearity. The names are those of Hugging Face's table, which adapter configurations use; ELU
/// (Clevert et al. 2016) is not one of them.
public enum Activation: String, CaseIterable, Sendable {
  case identity
  case relu
  case gelu
  case geluTanh
  case silu
  case tanh
  case sigmoid
  case leakyReLU
  case elu
  case quickGELU
  case mish
  case reluSquared
  case relu6
  case laplace
  /// GELU, no larger than 10.
  case gelu10

  /// The activation that a configuration calls `name`, in any case; `nil` if there is none.
  public init?(named name: String) {
    guard let activation = Self.names[name.lowercased()] else { return nil }
    self = activation
  }

  /// Every name understood, with what it means.
  public static let names: [String: Activation] = [
    "linear": .identity, "relu": .relu, "gelu": .gelu, "gelu_python": .gelu,
    "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "gelu_python_tanh": .geluTanh, "gelu_accurate": .geluTanh,
    "gelu_fast": .geluTanh,
    "swish": .silu, "silu": .silu, "tanh": .tanh, "sigmoid": .sigmoid, "leakyrelu": .leakyReLU,
    "leaky_relu": .leakyReLU, "quick_gelu": .quickGELU, "mish": .mish, "relu2": .reluSquared, "relu6": .relu6,
    "laplace": .laplace, "gelu_10": .gelu10,
  ]

  var kernel: hub_activation {
    switch self {
    case .identity: HUB_IDENTITY
    case .relu: HUB_RELU
    case .gelu: HUB_GELU
    case .geluTanh: HUB_GELU_TANH
    case .silu: HUB_SILU
    case .tanh: HUB_TANH
    case .sigmoid: HUB_SIGMOID
    case .leakyReLU: HUB_LEAKY_RELU
    case .elu: HUB_ELU
    case .quickGELU: HUB_QUICK_GELU
    case .mish: HUB_MISH
    case .reluSquared: HUB_RELU_SQUARED
    case .relu6: HUB_RELU6
    case .laplace: HUB_LAPLACE
    case .gelu10: HUB_GELU_10
    }
  }
}
