import HubArchive
import HubBundle
import HubTokenizers
import HubWeights
public import HubWords

extension InputLimits {
  /// Those of every reader.
  public static let all = archives + words + bundles + weights + tokenizers
}
