public import HubWords

/// What makes one text of the messages of a chat: the Jinja template that comes with a model, as `transformers` runs
/// it.
///
/// Supported are text, expressions, `if`, `for` with its `loop`, `set` and namespaces, the filters, tests and methods
/// that templates of chat models use, and `raise_exception`. Everything else is refused by its name. A template reads
/// nothing but what it is given, and is bounded in steps and output.
public struct ChatTemplate: Sendable {
  private let nodes: [TemplateNode]

  /// - Throws: ``Failure`` with code ``Failure/Code/malformedTemplateSource`` that names what is wrong or not supported
  public init(_ source: String) throws {
    var parser = try TemplateParser(source)
    nodes = try parser.parse()
  }

  /// The text of messages.
  ///
  /// - Parameters:
  ///   - messages: objects with `role` and `content`, as JSON
  ///   - addsPrompt: whether the text ends with what begins an answer (`add_generation_prompt`)
  ///   - tokens: the special tokens that templates name: `bos_token`, `eos_token`, `unk_token`, `pad_token`
  ///   - others: further variables, such as `tools` or `enable_thinking`
  /// - Throws: ``Failure`` with code ``Failure/Code/refusedMessages`` where the template raises an exception, or
  ///   ``Failure/Code/templateValue``, ``Failure/Code/excessiveTemplate``
  public func text(
    of messages: JSON, addsPrompt: Bool = true, tokens: [String: String] = [:], others: [String: JSON] = [:]
  ) throws -> String {
    var variables = others.mapValues(TemplateValue.init)
    for (name, token) in tokens { variables[name] = .string(token) }
    variables["messages"] = TemplateValue(messages)
    variables["add_generation_prompt"] = .bool(addsPrompt)
    for name in ["tools", "documents"] where variables[name] == nil { variables[name] = TemplateValue.none }
    var run = TemplateRun(variables)
    try run.run(nodes)
    return run.output
  }
}
