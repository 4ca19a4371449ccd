public import ArgumentParser
public import HubArchive
public import HubManifest
public import HubTensor

extension AdapterName: ExpressibleByArgument {
  public init?(argument: String) { try? self.init(argument) }
}

extension Compression: ExpressibleByArgument {}

extension Precision: ExpressibleByArgument {}
