import CHubKernels

/// A pointwise non-linearity. The names are those of Hugging Face's table, which adapter configurations use; ELU (Clevert et
/// al. 2016) is none of them.
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
    "leaky_relu": .leakyReLU,
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
    }
  }
}
