public import ArgumentParser
public import HubArchive
public import HubManifest

extension AdapterName: ExpressibleByArgument {
  public init?(argument: String) { try? self.init(argument) }
}

extension Compression: ExpressibleByArgument {}
