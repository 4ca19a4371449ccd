import ArgumentParser
import HubRegistry

/// The flags by which the user asks for more than the rules of signatures, or lets something pass.
struct ConsentOptions: ParsableArguments {
  @Flag(help: "Accept only bundles signed by a trusted key; see hub keys.") var requireSignature = false
  @Flag(help: "Accept an older version of a signed adapter than was installed before.")
  var allowDowngrade = false
  @Flag(help: "Accept a name that another key signed before.") var allowOtherSigner = false

  var consent: Consent {
    var consent = Consent()
    consent.requiresSignature = requireSignature
    consent.allowsDowngrade = allowDowngrade
    consent.allowsOtherSigner = allowOtherSigner
    return consent
  }
}
