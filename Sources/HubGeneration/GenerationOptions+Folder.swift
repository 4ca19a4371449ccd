import Foundation
import HubWords

extension GenerationOptions {
  /// The options that come with a model: those of `generation_config.json`, or without that file what `config.json`
  /// says of tokens.
  ///
  /// - Throws: ``Failure``, at the file: not JSON, or an option that is not supported
  public init(ofModel folder: String) throws {
    self.init()
    let path = folder + "/generation_config.json"
    if let bytes = FileManager.default.contents(atPath: path) {
      try locating(path) { try merge(JSONObject(JSON(parsing: bytes))) }
    } else if let bytes = FileManager.default.contents(atPath: folder + "/config.json") {
      try locating(folder + "/config.json") {
        let all = try JSONObject(JSON(parsing: bytes, limits: JSON.Limits(roundsIntegers: true))).members
        var own = JSON.Members()
        for name in Self.namesInConfig { own[name] = all[name] }
        try merge(JSONObject(own))
      }
    }
  }

  private static let namesInConfig = [
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "forced_bos_token_id",
    "forced_eos_token_id",
  ]
}
