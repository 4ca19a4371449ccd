import CHubKernels
public import HubWords

extension Failure.Code {
  /// `HUB_ISA` names an instruction set that this processor or this build does not have.
  public static let unknownInstructionSet = Self("engine/instruction-set", .usage)
}

/// The SIMD loops for one instruction set.
public struct Kernels: @unchecked Sendable {
  let table: hub_kernels

  /// `avx512_bf16`, `avx512_vnni`, `avx512`, `avx2_vnni`, `avx2`, `neon_bf16`,
  /// `neon_dotprod`, `neon` or `portable`.
  public var name: String { String(cString: table.name) }

  /// Changes whenever a kernel packs weights in another way than before.
  public static let layoutVersion = 2

  /// What this processor can run, best first.
  public static let available: [Kernels] = (0..<hub_kernels_count()).compactMap { index in
    hub_kernels_at(index).map { Kernels(table: $0.pointee) }
  }

  /// The kernels called `name`, or the best if it is `nil` or empty.
  ///
  /// - Throws: ``Failure`` with code ``Failure/Code/unknownInstructionSet``.
  public static func named(_ name: String?) throws -> Kernels {
    let wanted = name ?? ""
    if let kernels = available.first(where: { wanted.isEmpty || $0.name == wanted }) { return kernels }
    let names = available.map(\.name).joined(separator: ", ")
    throw Failure(
      .unknownInstructionSet, "this machine cannot run the instruction set \(wanted.debugDescription)", at: "HUB_ISA",
      hint: "available: \(names)")
  }
}
