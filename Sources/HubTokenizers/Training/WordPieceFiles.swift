import HubWords

/// The files of a tokenizer of word pieces, as `transformers` writes them.
struct WordPieceFiles {
  let pieces: [String]
  let options: WordPieceOptions

  /// Names and contents.
  var all: [(name: String, content: [UInt8])] {
    [
      ("tokenizer.json", text(tokenizer)), ("tokenizer_config.json", text(config)),
      ("vocab.txt", Array(pieces.map { $0 + "\n" }.joined().utf8)),
    ]
  }

  private func text(_ json: JSON) -> [UInt8] { Array((json.text(indent: 2) + "\n").utf8) }

  private var tokenizer: JSON {
    [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(WordPieceVocabulary.specialTokens.enumerated().map(Self.added)),
      "normalizer": [
        "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
        "strip_accents": .bool(options.stripsAccents), "lowercase": .bool(options.lowercases),
      ],
      "pre_tokenizer": ["type": "BertPreTokenizer"],
      "post_processor": template,
      "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
      "model": [
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": .integer(options.longestWord),
        "vocab": .object(JSON.Members(distinct: pieces.enumerated().map { ($1, .integer($0)) })),
      ],
    ]
  }

  private static func added(id: Int, token: String) -> JSON {
    [
      "id": .integer(id), "content": .string(token), "single_word": false, "lstrip": false, "rstrip": false,
      "normalized": false, "special": true,
    ]
  }

  /// `[CLS] A [SEP]`, and `[CLS] A [SEP] B [SEP]` for two texts.
  private var template: JSON {
    func special(_ token: String, _ type: Int) -> JSON {
      ["SpecialToken": ["id": .string(token), "type_id": .integer(type)]]
    }
    func sequence(_ name: String, _ type: Int) -> JSON {
      ["Sequence": ["id": .string(name), "type_id": .integer(type)]]
    }
    let single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)]
    let used = ["[CLS]", "[SEP]"].map { token in
      (
        key: token,
        value: [
          "id": .string(token), "tokens": [.string(token)],
          "ids": .array(WordPieceVocabulary.specialTokens.firstIndex(of: token).map { [.integer($0)] } ?? []),
        ] as JSON
      )
    }
    return [
      "type": "TemplateProcessing", "single": .array(single),
      "pair": .array(single + [sequence("B", 1), special("[SEP]", 1)]),
      "special_tokens": .object(JSON.Members(distinct: used)),
    ]
  }

  private var config: JSON {
    [
      "tokenizer_class": "BertTokenizer", "model_max_length": .integer(options.maximumLength),
      "do_lower_case": .bool(options.lowercases), "strip_accents": .bool(options.stripsAccents),
      "tokenize_chinese_chars": true, "clean_up_tokenization_spaces": true,
      "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    ]
  }
}
