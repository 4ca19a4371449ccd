import CCrypto

/// libcrypto's Ed25519 (RFC 8032): keys of 32 bytes, signatures of 64.
enum Ed25519 {
  private static let count = 32

  /// `nil` for what is not a secret key.
  static func publicKey(ofSeed seed: [UInt8]) -> [UInt8]? {
    withKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)) { key in
      var bytes = [UInt8](repeating: 0, count: count), size = count
      return EVP_PKEY_get_raw_public_key(key, &bytes, &size) == 1 && size == count ? bytes : nil
    }
  }

  static func signature(of message: [UInt8], bySeed seed: [UInt8]) -> [UInt8]? {
    withKey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)) { key in
      var signature = [UInt8](repeating: 0, count: 2 * count), size = 2 * count
      return withContext {
        EVP_DigestSignInit($0, nil, nil, nil, key) == 1
          && EVP_DigestSign($0, &signature, &size, message, message.count) == 1 && size == 2 * count
      } ? signature : nil
    }
  }

  static func verifies(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
    withKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)) { key in
      withContext {
        EVP_DigestVerifyInit($0, nil, nil, nil, key) == 1
          && EVP_DigestVerify($0, signature, signature.count, message, message.count) == 1
      }
    } ?? false
  }

  private static func withKey<Result>(_ key: OpaquePointer?, _ body: (OpaquePointer) -> Result?) -> Result? {
    guard let key else { return nil }
    defer { EVP_PKEY_free(key) }
    return body(key)
  }

  private static func withContext(_ body: (OpaquePointer) -> Bool) -> Bool {
    guard let context = EVP_MD_CTX_new() else { return false }
    defer { EVP_MD_CTX_free(context) }
    return body(context)
  }
}
