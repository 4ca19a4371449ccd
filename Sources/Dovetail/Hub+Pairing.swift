public import HubWords
import HubRegistry

extension Hub {
  /// The composition that answers a task in a language: the installed task adapter, stacked on the adapter of the
  /// language.
  ///
  /// A task adapter that was trained over the adapter of one language works over that of another (MAD-X, Pfeiffer et
  /// al. 2020). Without a language it stands on the one that it was trained over, if it names one.
  ///
  /// - Parameters:
  ///   - task: what adapters say they do, or the name of one
  ///   - language: a tag such as `sw`
  /// - Throws: ``Failure``: no adapter, or several of different names, do the task on this base; none speaks the
  ///   language.
  public func setup(forTask task: String, in language: String? = nil, on base: Base) throws -> Composition {
    let own = base.identity
    let fitting = try registry.list(AdapterFilter(base: own.architecture)).filter {
      $0.manifest.base.hiddenSize == own.hiddenSize && $0.manifest.kind == .task
    }
    let doing = fitting.filter { $0.manifest.task == task },
      named = fitting.filter { $0.name.text == task || $0.name.text.hasSuffix("/\(task)") }
    let candidates = doing.isEmpty ? named : doing
    guard let chosen = candidates.first else {
      throw Failure(
        .unknownAdapter, "no installed adapter does this task on \(base.name)", at: task, hint: "hub list --kind task")
    }
    let names = Set(candidates.map(\.name.text))
    guard names.count == 1 else {
      throw Failure(
        .ambiguousReference, "several adapters do this task", at: task,
        hint: "name one of \(names.sorted().joined(separator: ", ")) with --setup")
    }
    if let language {
      return .stack(
        .adapter(try registry.languageAdapter(language, under: chosen).reference), .adapter(chosen.reference))
    }
    guard let dependency = chosen.manifest.dependencies.first(where: { $0.role == "language" }) else {
      return .adapter(chosen.reference)
    }
    let reference = dependency.name.text + (dependency.range.map { "@\($0)" } ?? "")
    return .stack(.adapter(try registry.resolve(AdapterReference(reference)).reference), .adapter(chosen.reference))
  }
}
