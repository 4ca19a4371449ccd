import HubWords

/// A storage as a pickle refers to it.
struct TorchStorage {
  let key: String
  let type: ElementType
  /// Elements.
  let count: Int
  /// Elements before the part that is meant; files of old torch versions name parts of storages.
  let viewOffset: Int
  let viewCount: Int

  /// Keys are numbers, and become names of entries.
  static func isKey(_ text: String) -> Bool {
    (1...20).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }
}

/// A tensor as a pickle describes it: a view of a storage.
struct TorchView {
  let name: String
  let storage: TorchStorage
  /// All in elements.
  let offset: Int
  let shape: [Int]
  let strides: [Int]

  /// The elements in row-major order: shared where they lie so, copied where not.
  func read(from bytes: ByteRegion) throws -> StoredTensor {
    let size = storage.type.byteSize
    let (byteCount, overflow) = storage.count.multipliedReportingOverflow(by: size)
    guard !overflow, byteCount == bytes.count else {
      throw Failure(.torchStorage, "the storage has \(bytes.count) bytes, not \(storage.count) elements of \(size)")
    }
    let count = try StoredTensor.elementCount(of: shape, name: "shape")
    try checkExtent(count)
    if count == 0 { return try StoredTensor(name: name, type: storage.type, shape: shape, bytes: []) }
    let start = (storage.viewOffset + offset) * size
    if isContiguous, let region = bytes.slice(at: start, count: count * size) {
      return try StoredTensor(name: name, type: storage.type, shape: shape, region: region)
    }
    let copy = bytes.withBytes { source in
      [UInt8](unsafeUninitializedCapacity: count * size) { target, initialized in
        gather(source, at: start, count: count, into: UnsafeMutableRawBufferPointer(target))
        initialized = count * size
      }
    }
    return try StoredTensor(name: name, type: storage.type, shape: shape, bytes: copy)
  }

  /// The last element lies within the storage, and no two elements are one.
  private func checkExtent(_ count: Int) throws {
    guard shape.count == strides.count, offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      throw Failure(.torchStorage, "the shape \(shape) and the strides \(strides) do not fit")
    }
    guard count > 0 else { return }
    var last = offset
    // In ascending order of strides, each dimension must step over everything inside of it.
    for (size, stride) in zip(shape, strides).sorted(by: { $0.1 < $1.1 }) where size > 1 {
      guard stride > last - offset else {
        throw Failure(.torchStorage, "elements of the tensor overlap, strides \(strides)")
      }
      let (extent, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, sumOverflow) = last.addingReportingOverflow(extent)
      guard !overflow, !sumOverflow else { throw Failure(.torchStorage, "the tensor reaches beyond its storage") }
      last = sum
    }
    guard last < storage.viewCount else { throw Failure(.torchStorage, "the tensor reaches beyond its storage") }
  }

  private var isContiguous: Bool {
    var expected = 1
    for (size, stride) in zip(shape, strides).reversed() where size > 1 {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }

  /// Copies element after element, counting the indexes like an odometer. The extent has been checked.
  private func gather(
    _ source: UnsafeRawBufferPointer, at start: Int, count: Int, into target: UnsafeMutableRawBufferPointer
  ) {
    let size = storage.type.byteSize
    var index = Array(repeating: 0, count: shape.count)
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    var position = start
    for element in 0..<count {
      to.advanced(by: element * size).copyMemory(from: from.advanced(by: position), byteCount: size)
      for dimension in shape.indices.reversed() {
        index[dimension] += 1
        position += strides[dimension] * size
        if index[dimension] < shape[dimension] { break }
        position -= shape[dimension] * strides[dimension] * size
        index[dimension] = 0
      }
    }
  }
}

/// The tables of a pickle that torch wrote.
struct TorchPickle {
  let root: PickleValue
  let objects: PickleReader

  private func object(_ value: PickleValue) -> PickleObject? {
    guard case .object(let index) = value else { return nil }
    return objects.objects[index]
  }

  private func items(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)]? {
    guard case .dictionary(let items)? = object(value) else { return nil }
    return items
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let values)? = object(value) else { return nil }
    let integers = values.compactMap { if case .integer(let value) = $0 { value } else { nil } }
    return integers.count == values.count ? integers : nil
  }

  /// A member of the root dictionary.
  func item(_ key: String) -> PickleValue? { items(root)?.first { $0.key == .string(key) }?.value }

  /// The root as a list of strings.
  func strings() throws -> [String] {
    guard case .list(let values)? = object(root) else {
      throw Failure(.malformedTorchFile, "the list of storages is missing")
    }
    return try values.map { value in
      guard case .string(let text) = value else {
        throw Failure(.malformedTorchFile, "the list of storages holds \(objects.kind(of: value))")
      }
      return text
    }
  }

  /// The tensors of the root dictionary.
  func tensors() throws -> [TorchView] {
    guard let items = items(root) else {
      throw Failure(.unexpectedTorchObject, "expected a dictionary of tensors, found \(objects.kind(of: root))")
    }
    guard items.count <= InputLimits.tensors else {
      throw Failure(.excessivePickle, "the file holds \(items.count) tensors, more than \(InputLimits.tensors)")
    }
    return try items.map { item in
      guard case .string(let name) = item.key else {
        throw Failure(.unexpectedTorchObject, "expected the name of a tensor, found \(objects.kind(of: item.key))")
      }
      return try locating(name) { try tensor(item.value, name: name) }
    }
  }

  private func tensor(_ value: PickleValue, name: String) throws -> TorchView {
    guard case .call(let function, let arguments)? = object(value) else {
      throw Failure(.unexpectedTorchObject, "expected a tensor, found \(objects.kind(of: value))")
    }
    if function == .rebuildTensor { return try view(arguments, name: name) }
    guard function == .rebuildParameter, arguments.count == 3, items(arguments[2])?.isEmpty == true,
      case .call(.rebuildTensor, let inner)? = object(arguments[0])
    else { throw Failure(.malformedTorchFile, "the parameter is not built the way torch builds parameters") }
    return try view(inner, name: name)
  }

  /// `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata])`
  private func view(_ arguments: [PickleValue], name: String) throws -> TorchView {
    guard arguments.count == 6 || arguments.count == 7, case .integer(let offset) = arguments[1],
      let shape = integers(arguments[2]), let strides = integers(arguments[3]), case .bool = arguments[4],
      items(arguments[5])?.isEmpty == true
    else { throw Failure(.malformedTorchFile, "the tensor is not built the way torch builds tensors") }
    return TorchView(name: name, storage: try storage(arguments[0]), offset: offset, shape: shape, strides: strides)
  }

  /// `("storage", class, key, device, count)`, in old files with `None` or `(key, offset, count)` after it.
  private func storage(_ value: PickleValue) throws -> TorchStorage {
    guard case .persistent(let reference)? = object(value), case .tuple(let parts)? = object(reference),
      parts.count == 5 || parts.count == 6, parts[0] == .string("storage"), case .global(let global) = parts[1],
      let type = global.storageType, case .string(let key) = parts[2], TorchStorage.isKey(key),
      case .string = parts[3], case .integer(let count) = parts[4], count >= 0
    else { throw Failure(.malformedTorchFile, "the storage is not named the way torch names storages") }
    guard parts.count == 6, parts[5] != .none else {
      return TorchStorage(key: key, type: type, count: count, viewOffset: 0, viewCount: count)
    }
    guard case .tuple(let view)? = object(parts[5]), view.count == 3, case .integer(let offset) = view[1],
      case .integer(let viewCount) = view[2], offset >= 0, viewCount >= 0, offset <= count, viewCount <= count - offset
    else { throw Failure(.malformedTorchFile, "the storage is not named the way torch names storages") }
    return TorchStorage(key: key, type: type, count: count, viewOffset: offset, viewCount: viewCount)
  }

  /// The types of all storages, which the old layout needs to know before it reads them.
  func storageTypes() throws -> [String: ElementType] {
    var types: [String: ElementType] = [:]
    for case .persistent(let reference) in objects.objects {
      guard case .tuple(let parts)? = object(reference), parts.count > 2, case .global(let global) = parts[1],
        let type = global.storageType, case .string(let key) = parts[2]
      else { throw Failure(.malformedTorchFile, "the storage is not named the way torch names storages") }
      guard types.updateValue(type, forKey: key) ?? type == type else {
        throw Failure(.torchStorage, "the storage \(key) has two types")
      }
    }
    return types
  }
}
