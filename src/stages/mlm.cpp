#include "stages/mlm.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"
#include "stages/model_kind.h"
#include "stages/to_batch.h"

namespace hone {

namespace {

/// One text with its holes, drawn by a random stream.
using Corrupt = std::function<TokenExample(const TokenExample& text, Random random)>;

constexpr std::uint64_t held_out_draw = 0;  ///< held-out texts have the same holes in every evaluation

std::vector<TokenExample> with_holes(std::span<const TokenExample> texts, const Corrupt& corrupt,
                                     std::uint64_t draw) {
  std::vector<TokenExample> holed;
  for (std::size_t i = 0; i < texts.size(); ++i) holed.push_back(corrupt(texts[i], Random(draw, i)));
  return holed;
}

constexpr std::int64_t unbounded = std::numeric_limits<std::int64_t>::max();  ///< tokens of a text

constexpr std::array shapes{DataShape::text, DataShape::text_label, DataShape::prompt_completion};

/// A row is a text, which has new holes whenever it is visited.
class MaskedObjective : public LanguageModelObjective {
 public:
  MaskedObjective(Run& run, LearnableRows texts, std::int64_t tokens_per_pass, Corrupt corrupt)
      : LanguageModelObjective(run, {std::move(texts.train), with_holes(texts.held_out, corrupt, held_out_draw)},
                               tokens_per_pass),
        corrupt_(std::move(corrupt)) {}

  Batch batch(std::span<const std::uint64_t> rows, std::uint64_t draw) const override {
    const std::uint64_t key = stream_key(draw, "mask");
    std::vector<TokenExample> holed;
    for (const std::uint64_t row : rows) holed.push_back(corrupt_(examples().train[row], Random(key, row)));
    return batch_of(holed);
  }

 private:
  Corrupt corrupt_;
};

/// All texts end to end, with what the tokenizer adds to each, in pieces of that length; the last is what is left.
std::vector<TokenExample> blocks(std::span<const TokenExample> texts, std::int64_t length) {
  std::vector<TokenExample> pieces;
  for (const TokenExample& text : texts) {
    for (const std::int32_t id : text.ids) {
      if (pieces.empty() || static_cast<std::int64_t>(pieces.back().ids.size()) == length) {
        pieces.push_back({.row = static_cast<std::int64_t>(pieces.size())});
      }
      pieces.back().ids.push_back(id);
    }
  }
  return pieces;
}

Corrupt corruption(const Run& run, const MaskingRules& rules) {
  const Tokenizer& tokenizer = *run.tokenizer;
  const PolicyShape& shape = run.model->policy->shape();
  if (shape.kind == PolicyKind::encoder_decoder) {
    return [spans = SpanCorruption(tokenizer, rules, shape.decoder_start)](const TokenExample& text, Random random) {
      return spans.corrupt(text, random);
    };
  }
  return [masking = Masking(tokenizer, rules)](const TokenExample& text, Random random) {
    return masking.mask(text, random);
  };
}

}  // namespace

void MlmSpec::describe_stage(Fields& f) {
  const Range share{.low = 0, .high = 1};
  describe_data(f, "Name of the data set of texts to learn from.");
  f.choice("packing", packing, text_packing_names,
           "documents: each text is a sequence, no longer than max_tokens; stream: all texts end to end, cut into "
           "pieces of that length, nothing is lost.");
  f.field("share", masking.share, "Share of a text's tokens that is hidden.",
          {.low = 0, .high = 1, .open_low = true});
  f.field("masked", masking.masked, "Share of the hidden tokens that become the mask token. Encoders.", share);
  f.field("random", masking.random, "Share of the hidden tokens that become any token; the rest stays. Encoders.",
          share);
  f.field("whole_words", masking.whole_words, "Hide words with all their tokens. Encoders.");
  f.field("mean_span", masking.mean_span, "Mean length of hidden spans. Encoder-decoders.", at_least(1));
  f.check(masking.masked + masking.random <= 1, "random",
          "is a share of the same tokens as masked: both add up to at most 1");
  length.describe(f);
  describe_training(f, "Held-out evaluation: eval/loss and eval/perplexity of hidden tokens.");
}

/// Without ids when nothing of it can be hidden.
TokenExample MlmSpec::text_of(Run& run, Split split, const DataRow& row, std::int64_t number,
                              TextEncoder& encoder) const {
  const std::string where = run.dataset(data)->place(split, static_cast<std::size_t>(number));
  TokenExample example = encoder.encode(row.text + row.prompt + row.completion, std::nullopt, where, number);
  return can_be_masked(example, *run.tokenizer) ? example : TokenExample();
}

LearnableRows MlmSpec::texts(Run& run) const {
  const std::shared_ptr<const Dataset> dataset = run.dataset(data);
  if (std::ranges::find(shapes, dataset->shape()) == shapes.end()) {
    fail(ErrorKind::config, "data.{}: its rows are {}, expected texts (text, text+label or prompt+completion)", data,
         dataset->shape_name());
  }
  const PolicyShape& shape = run.model->policy->shape();
  const bool stream = packing == TextPacking::stream;
  const std::int64_t longest = std::min(length.max_tokens.value_or(shape.context), shape.context);
  return load_splits(*dataset, evaluation.rows, [&](Split split) {
    TextEncoder encoder(*run.tokenizer, stream ? unbounded : shape.context, stream ? LengthLimit{} : length);
    std::vector<TokenExample> examples;
    const auto rows = dataset->rows(split);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      TokenExample example = text_of(run, split, rows[i], static_cast<std::int64_t>(i), encoder);
      if (!example.ids.empty()) examples.push_back(std::move(example));
    }
    // An eos is put behind each piece that an encoder-decoder model reads.
    if (stream) examples = blocks(examples, shape.kind == PolicyKind::encoder_decoder ? longest - 1 : longest);
    std::erase_if(examples, [&](const TokenExample& text) { return !can_be_masked(text, *run.tokenizer); });
    const std::string_view of = split == Split::held_out ? "held out: " : "";
    if (examples.empty()) {
      fail(ErrorKind::data,
           "data.{}: {}none of {} rows has a token that can be hidden: they are empty, or special tokens alone", data,
           of, rows.size());
    }
    log_info("data.{}: {}{}; {} sequences", data, of, encoder.report().text(),
             format_count(static_cast<std::int64_t>(examples.size())));
    return examples;
  });
}

StageStart MlmSpec::prepare(Run& run) const {
  require_kind(run, name, {PolicyKind::encoder, PolicyKind::encoder_decoder},
               "nothing is hidden from a model that reads from left to right; use a stage of kind pretrain");
  if (packing == TextPacking::stream) require_fixed_rows(run);
  Corrupt corrupt = corruption(run, masking);
  return [this, &run, corrupt = std::move(corrupt), rows = texts(run)]() mutable {
    run.use_heads({});
    MaskedObjective objective(run, std::move(rows), training.tokens_per_pass, std::move(corrupt));
    if (packing == TextPacking::documents) {
      objective.redraw_rows(redrawn_rows(
          run.dataset(data), *run.tokenizer, run.model->policy->shape().context, length,
          [this, &run](const DataRow& row, std::int64_t number, TextEncoder& encoder) -> std::vector<TokenExample> {
            return {text_of(run, Split::train, row, number, encoder)};
          }));
    }
    return learn(run, objective);
  };
}

}  // namespace hone
