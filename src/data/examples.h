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
#include "text/chat_format.h"
#include "text/tokenizer.h"

namespace hone {

/// How texts become sequences of a language model.
enum class TextPacking {
  documents,  ///< each text a sequence (or several, when it is longer than the context)
  stream,     ///< all texts end to end, cut into sequences of the context's length
};
inline constexpr std::array<std::string_view, 2> text_packing_names = {"documents", "stream"};

/// What of a row a language model learns.
enum class Learned {
  everything,   ///< prompt and completion are one text, or all of a conversation
  completions,  ///< the completion, or all turns of the assistant
  last_turn,    ///< of a conversation the last turn of the assistant alone
};
inline constexpr std::array<std::string_view, 3> learned_names = {"everything", "completions", "last_turn"};

/// What happens to a row that is longer than the context.
enum class Overlong {
  truncate_right,  ///< its end is cut
  truncate_left,   ///< its beginning is cut
  skip,            ///< it is left out
  error,           ///< it ends the run
};
inline constexpr std::array<std::string_view, 4> overlong_names = {"truncate_right", "truncate_left", "skip", "error"};

/// How rows become examples.
struct ExampleRules {
  Learned learned = Learned::completions;
  TextPacking packing = TextPacking::documents;
  std::optional<Overlong> overlong;  ///< unset: texts are divided, the rest is cut at its end
};

/// What encoding did to the rows.
struct EncodeReport {
  std::int64_t rows = 0;
  std::int64_t tokens = 0;
  std::int64_t target_tokens = 0;  ///< that the loss counts
  std::int64_t cut_rows = 0;       ///< lost tokens, because they were longer than the context
  std::int64_t cut_tokens = 0;
  std::int64_t skipped_rows = 0;  ///< left out, because they were longer than the context
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
  bool token_types = false;                   ///< whether the second of two texts has a type of its own
};

/// What an encoder-decoder model reads of a prompt: the text with all that the tokenizer adds to it (T5: eos at the
/// end); of nothing the eos alone. Generation must ask with the same. Empty only when a tokenizer without eos gets an
/// empty text.
std::vector<std::int32_t> encode_source(const Tokenizer& tokenizer, std::string_view text);

/// A whole text as one sequence: what the tokenizer adds at the start, the text, its eos. When it is longer than
/// `context` ≥ 2 the end of the text is cut, not the eos, since a causal trunk is read at its last token. Classifiers
/// and reward models learn from this and must be asked with this. Empty for an empty text.
std::vector<std::int32_t> encode_document(const Tokenizer& tokenizer, std::string_view text, std::int64_t context);

/// Makes ids what an encoder-decoder model with a head reads: its decoder reads them again, behind what targets begin
/// with, so that its last state has seen all of them but the last. Nothing else changes for other models.
void read_again(TokenExample& example, const ModelInput& input);

/// That document as a model with a head reads it; no token is a target. Without ids for an empty text.
TokenExample document_example(const Tokenizer& tokenizer, std::string_view text, const ModelInput& input);

/// Rows to token sequences, one objective a method. Prompts and texts begin with what the tokenizer adds there (a bos
/// token, if any), an empty prompt with the bos of any tokenizer that has one; completions begin with nothing. Prompt
/// and completion are encoded apart. All this is as in generation. A sequence that was not cut ends with the eos, if
/// the tokenizer has one. Conversations are what the chat template makes of them, nothing added.
///
/// With an encoder-decoder model the prompt is the source, and the target what decoders start with, the completion and
/// the eos; `overlong` holds for source and target each, and conversations are refused.
///
/// `where` opens the message of an error ("train.jsonl:12"). Call order: (add* take)*
class ExampleEncoder {
 public:
  ExampleEncoder(const Tokenizer& tokenizer, const ModelInput& input, const ExampleRules& rules = {});

  /// Every token is learned; a text (or the stream of them all) longer than the context is divided as cut_into_blocks
  /// does, unless the rules say something else. Not for encoder-decoder models.
  void add_text(std::string_view text, std::string_view where = "a text");
  /// The completion and its eos are learned. Error{data} when no token of it is left after cutting. An empty completion
  /// teaches nothing and is left out.
  void add_completion(std::string_view prompt, std::string_view completion, std::string_view where);
  /// What the rules say is learned of the turns of the assistant; a conversation without them is left out.
  void add_conversation(const Conversation& conversation, std::string_view where);
  /// A text with a class id, encoded by encode_document; no token is a target.
  void add_labelled(std::string_view text, std::int64_t label);
  /// chosen, then rejected, as add_completion; Error{data} when one has nothing to learn, or both are the same.
  void add_pair(std::string_view prompt, std::string_view chosen, std::string_view rejected, std::string_view where);
  /// The same with two answers to a conversation, of which the answers alone are learned.
  void add_pair(const Conversation& prompt, std::string_view chosen, std::string_view rejected, std::string_view where);

  /// Of everything added; a stream's tokens count once taken.
  const EncodeReport& report() const { return report_; }
  /// What was added since the start or the last take.
  std::vector<TokenExample> take();

 private:
  TokenExample completion(std::string_view prompt, std::string_view completion, std::string_view where) const;
  TokenExample conversation(const Conversation& conversation, Learned learned, std::string_view where) const;
  bool is_too_long(const TokenExample& example) const;
  bool fit(TokenExample& example, std::string_view where);
  void append(TokenExample example);
  void append_pair(TokenExample better, TokenExample worse, std::string_view where);

  const Tokenizer& tokenizer_;
  ModelInput input_;
  ExampleRules rules_;
  TokenExample stream_;  ///< rows that await their cutting
  std::vector<TokenExample> examples_;
  EncodeReport report_;
};

struct EncodedRows {
  std::vector<TokenExample> examples;
  EncodeReport report;
};

/// A row's messages and tools.
Conversation conversation_of(const DataRow& row);

// Whole splits. Error{data} when the rows' shape does not fit (the message names both) or when no token of any row would
// be learned, Error{config} for messages without a chat template.

/// Causal language model: text, messages, or prompt and completion in one.
EncodedRows encode_texts(const Dataset& data, Split split, const Tokenizer& tokenizer, std::int64_t context,
                         const ExampleRules& rules);
/// Supervised fine-tuning: prompt+completion, or messages.
EncodedRows encode_completions(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                               const ExampleRules& rules = {});
/// Classification: text+label or prompt+label. A label that `labels` lacks is an error.
EncodedRows encode_labelled(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                            const LabelSet& labels);
/// Preferences: prompt+chosen+rejected or messages+chosen+rejected; two examples a row, for pack_pairs, whose `row` is
/// the pair's place.
EncodedRows encode_pairs(const Dataset& data, Split split, const Tokenizer& tokenizer, const ModelInput& input,
                         const ExampleRules& rules = {});

}  // namespace hone
