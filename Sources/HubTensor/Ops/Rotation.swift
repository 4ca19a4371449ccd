import CHubKernels
import Foundation

/// The angles by which queries and keys are turned, a row for each token (rotary positions, Su et al. 2021).
public struct Rotation: Sendable {
  /// `[rows, d / 2]`
  let cosines: Tensor
  /// `[rows, d / 2]`
  let sines: Tensor

  /// - Parameters:
  ///   - positions: that of each row
  ///   - frequencies: the angle of position 1, for each of the `d / 2` pairs of columns of a head
  ///   - scale: what sines and cosines are multiplied by
  public init(_ positions: [Int], frequencies: [Float], scale: Float = 1, in context: Context) {
    let angles = positions.flatMap { position in frequencies.map { Float(position) * $0 } }
    func table(_ function: (Float) -> Float) -> Tensor {
      context.tensor(rows: positions.count, columns: frequencies.count, angles.map { function($0) * scale })
    }
    self.init(cosines: table(cos), sines: table(sin))
  }

  private init(cosines: Tensor, sines: Tensor) { (self.cosines, self.sines) = (cosines, sines) }

  /// So many copies of all rows, one after another.
  public func repeated(_ copies: Int, in context: Context) -> Rotation {
    copies == 1
      ? self : Rotation(cosines: context.repeated(cosines, copies), sines: context.repeated(sines, copies))
  }

  /// The way back.
  fileprivate func reversed(in context: Context) -> Rotation {
    Rotation(cosines: cosines, sines: context.scaled(sines, by: -1))
  }
}

extension Context {
  /// Each of `heads` slices of the columns turned by its row's angles: columns `j` and `j + d/2` are a pair.
  public func rotated(_ x: Tensor, by rotation: Rotation, heads: Int) -> Tensor {
    let cosines = rotation.cosines, sines = rotation.sines, width = x.columns / heads
    precondition(width * heads == x.columns && cosines.columns * 2 == width && cosines.rows == x.rows)
    var result = empty(x.rows, x.columns)
    let kernels = kernels
    forRows(x.rows, cost: x.columns) { rows in
      let first = rows.lowerBound * x.columns, angle = rows.lowerBound * cosines.columns
      kernels.rotate(
        result.block.base + first, x.base + first, cosines.base + angle, sines.base + angle, rows.count, heads, width)
    }
    if isRecorded(x) {
      record(&result) { [unowned self] gradient, gradients in
        gradients.add(rotated(gradient, by: rotation.reversed(in: self), heads: heads), to: x)
      }
    }
    return result
  }
}
