// `import Dovetail` brings the words along: Composition, Manifest, Failure.
@_exported public import HubBundle
import HubWords
