/// An expression of a template.
indirect enum TemplateExpression: Sendable {
  case value(TemplateValue)
  case name(String)
  case list([TemplateExpression])
  case dictionary([(TemplateExpression, TemplateExpression)])
  case unary(String, TemplateExpression)
  case binary(String, TemplateExpression, TemplateExpression)
  case choice(TemplateExpression, if: TemplateExpression, else: TemplateExpression?)
  case member(TemplateExpression, String)
  case element(TemplateExpression, TemplateExpression)
  case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
  case call(TemplateExpression, TemplateArguments)
  case filter(TemplateExpression, String, TemplateArguments)
  case test(TemplateExpression, String, [TemplateExpression], isNegated: Bool)
}

/// What stands between the brackets of a call.
struct TemplateArguments: Sendable {
  var values: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
}

/// A statement of a template.
indirect enum TemplateNode: Sendable {
  case text(String)
  case output(TemplateExpression)
  case choice([(condition: TemplateExpression?, body: [TemplateNode])])
  case loop(
    [String], in: TemplateExpression, where: TemplateExpression?, body: [TemplateNode], otherwise: [TemplateNode])
  case set(String, TemplateExpression)
  case setMember(String, String, TemplateExpression)
  case setBlock(String, [TemplateNode])
  case stopLoop, continueLoop
}
