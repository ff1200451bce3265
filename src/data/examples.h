#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "data/labels.h"
#include "data/packing.h"
#include "text/tokenizer.h"

namespace hone {

/// How texts become sequences of a language model.
enum class TextPacking {
  documents,  ///< each text a sequence (or several, when it is longer than the context)
  stream,     ///< all texts end to end, cut into sequences of the context's length
};
inline constexpr std::array<std::string_view, 2> text_packing_names = {"documents", "stream"};

/// What encoding did to the rows.
struct EncodeReport {
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t target_tokens = 0;  ///< that the loss counts
  std::int64_t cut_rows = 0;       ///< lost tokens at their end, because they were longer than the context
  std::int64_t cut_tokens = 0;
  std::int64_t divided_rows = 0;  ///< texts that became several sequences; nothing lost
  std::int64_t empty_rows = 0;    ///< left out: nothing in them could be learned
  /// "9,601 rows, 251,333 tokens (241,732 learned); 12 cut (305 tokens lost)".
  std::string text() const;
};

/// What a model takes.
struct ModelInput {
  /// Implicit: most models are known by their context.
  ModelInput(std::int64_t longest, std::optional<std::int32_t> decoder_starts_with = std::nullopt)
      : context(longest), decoder_start(decoder_starts_with) {}
  std::int64_t context;  ///< greatest length of a sequence, ≥ 2; encoder-decoder: of a source and of a target
  std::optional<std::int32_t> decoder_start;  ///< encoder-decoder models alone: the id that every target begins with
};

/// What an encoder-decoder model reads of a prompt: the text with all that the tokenizer adds to it (T5: eos at the
/// end); of nothing the eos alone. Generation must ask with the same. Empty only when a tokenizer without eos gets an
/// empty text.
std::vector<std::int32_t> encode_source(const Tokenizer& tokenizer, std::string_view text);

/// A whole text as one sequence: what the tokenizer adds at the start, the text, its eos. When it is longer than
/// `context` ≥ 2 the end of the text is cut, not the eos, since a causal trunk is read at its last token. Classifiers
/// and reward models learn from this and must be asked with this. Empty for an empty text.
std::vector<std::int32_t> encode_document(const Tokenizer& tokenizer, std::string_view text, std::int64_t context);

/// That document as a model with a head reads it; no token is a target. The decoder of an encoder-decoder model reads
/// the document again, behind what targets begin with, so that its last state has seen all of it but the eos. Without
/// ids for an empty text.
TokenExample document_example(const Tokenizer& tokenizer, std::string_view text, const ModelInput& input);

/// Rows to token sequences, one objective a method. Prompts and texts begin with what the tokenizer adds there (a bos
/// token, if any), an empty prompt with the bos of any tokenizer that has one; completions begin with nothing. Prompt
/// and completion are encoded apart. All this is as in generation. A sequence that was not cut ends with the eos, if
/// the tokenizer has one.
///
/// With an encoder-decoder model the prompt is the source, and the target what decoders start with, the completion and
/// the eos; the source must fit the context, and a target that does not is cut at its end.
///
/// `where` opens the message of an error ("train.jsonl:12"). Call order: (add* take)*
class ExampleEncoder {
 public:
  ExampleEncoder(const Tokenizer& tokenizer, const ModelInput& input, TextPacking packing = TextPacking::documents);

  /// Every token is learned; a text (or the stream of them all) longer than the context is divided as cut_into_blocks
  /// does. Not for encoder-decoder models.
  void add_text(std::string_view text);
  /// The completion and its eos are learned. A completion that does not fit is cut at its end. Error{data} when the
  /// prompt leaves no room for one token of it. An empty completion teaches nothing and is left out.
  void add_completion(std::string_view prompt, std::string_view completion, std::string_view where);
  /// A text with a class id, encoded by encode_document; no token is a target.
  void add_labelled(std::string_view text, std::int64_t label);
  /// chosen, then rejected, as add_completion; Error{data} when one has nothing to learn, or both are the same.
  void add_pair(std::string_view prompt, std::string_view chosen, std::string_view rejected, std::string_view where);

  /// Of everything added; a stream's tokens count once taken.
  const EncodeReport& report() const { return report_; }
  /// What was added since the start or the last take.
  std::vector<TokenExample> take();

 private:
  TokenExample opening(std::string_view prompt, std::string_view where) const;
  TokenExample completion(std::string_view prompt, std::string_view completion, std::string_view where);
  void append(TokenExample example);

  const Tokenizer& tokenizer_;
  ModelInput input_;
  TextPacking packing_;
  std::vector<std::int32_t> stream_;  ///< texts that await their cutting
  std::vector<TokenExample> examples_;
  EncodeReport report_;
};

struct EncodedRows {
  std::vector<TokenExample> examples;
  EncodeReport report;
};

// Whole splits. Error{data} when the rows' shape does not fit (the message names both), when messages would need a
// chat template, or when no token of any row would be learned.

/// Causal language model: text, or prompt and completion in one.
EncodedRows encode_texts(const Dataset& data, Split split, const Tokenizer& tokenizer, std::int64_t context,
                         TextPacking packing);
/// Supervised fine-tuning: prompt+completion.
EncodedRows encode_completions(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input);
/// Classification: text+label or prompt+label. A label that `labels` lacks is an error.
EncodedRows encode_labelled(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                            const LabelSet& labels);
/// Preferences: prompt+chosen+rejected; two examples a row, for pack_pairs, whose `row` is the pair's place.
EncodedRows encode_pairs(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input);

}  // namespace hone
