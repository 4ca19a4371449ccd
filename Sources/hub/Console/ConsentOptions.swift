import ArgumentParser
import HubRegistry

/// The flags by which the user asks for more than the rules of signatures, or lets something pass.
struct ConsentOptions: ParsableArguments {
  @Flag(help: "Take only what a trusted key signed; see hub keys.") var requireSignature = false
  @Flag(help: "Take a lower version of a signed adapter than was installed before.")
  var allowDowngrade = false
  @Flag(help: "Take a name that others signed before.") var allowOtherSigner = false

  var consent: Consent {
    var consent = Consent()
    consent.requiresSignature = requireSignature
    consent.allowsDowngrade = allowDowngrade
    consent.allowsOtherSigner = allowOtherSigner
    return consent
  }
}
