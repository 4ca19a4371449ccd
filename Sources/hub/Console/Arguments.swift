public import ArgumentParser
import Dovetail
public import HubArchive
public import HubBundle
import HubWords
public import HubTensor

extension AdapterName: ExpressibleByArgument {
  public init?(argument: String) { try? self.init(argument) }
}

extension Compression: ExpressibleByArgument {}

extension Precision: ExpressibleByArgument {}
extension LineFormat: ExpressibleByArgument {}
extension Pooling: ExpressibleByArgument {}
