#include "data/masking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

std::size_t hidden_count(std::size_t tokens, double share) {
  const auto wanted = static_cast<std::size_t>(std::llround(share * static_cast<double>(tokens)));
  return std::clamp<std::size_t>(wanted, 1, tokens);
}

/// Whether a token is the rest of a word in a WordPiece vocabulary, which marks it and decodes it without the mark.
bool is_marked_rest(const Tokenizer& tokenizer, std::int32_t id) {
  return tokenizer.id_to_token(id).starts_with("##") && !tokenizer.id_to_bytes(id).starts_with("##");
}

bool begins_with_space(std::string_view bytes) {
  return bytes.empty() || std::string_view(" \t\r\n").find(bytes.front()) != std::string_view::npos;
}

/// By id: whether a token goes on with the word of the one before it.
std::vector<bool> rests_of_words(const Tokenizer& tokenizer, std::span<const std::int32_t> ordinary) {
  std::vector<bool> rests(static_cast<std::size_t>(tokenizer.vocab_size()), false);
  bool marked = false;
  for (const std::int32_t id : ordinary) {
    rests[static_cast<std::size_t>(id)] = is_marked_rest(tokenizer, id);
    marked = marked || rests[static_cast<std::size_t>(id)];
  }
  if (marked) return rests;
  for (const std::int32_t id : ordinary) {
    rests[static_cast<std::size_t>(id)] = !begins_with_space(tokenizer.id_to_bytes(id));
  }
  return rests;
}

/// `total` as `parts` random numbers ≥ 1 that add up to it, every way equally likely.
std::vector<std::size_t> random_parts(std::size_t total, std::size_t parts, Random& random) {
  std::vector<std::size_t> borders(total - 1);
  std::iota(borders.begin(), borders.end(), 1);
  random.shuffle(borders);
  borders.resize(parts - 1);
  std::ranges::sort(borders);
  std::vector<std::size_t> sizes;
  std::size_t begin = 0;
  for (const std::size_t border : borders) {
    sizes.push_back(border - begin);
    begin = border;
  }
  sizes.push_back(total - begin);
  return sizes;
}

}  // namespace

bool can_be_masked(const TokenExample& text, const Tokenizer& tokenizer) {
  return std::ranges::any_of(text.ids, [&](std::int32_t id) { return !tokenizer.is_special(id); });
}

Masking::Masking(const Tokenizer& tokenizer, const MaskingRules& rules) : tokenizer_(tokenizer), rules_(rules) {
  const std::optional<std::int32_t> mask = tokenizer.mask_id();
  if (!mask) {
    fail(ErrorKind::config,
         "the tokenizer has no mask token to hide words with; expected a mask_token in its tokenizer_config.json");
  }
  mask_ = *mask;
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (!tokenizer.is_special(id) && !tokenizer.id_to_bytes(id).empty()) ordinary_.push_back(id);
  }
  if (ordinary_.empty()) {
    fail(ErrorKind::config, "all {} tokens of the tokenizer are special: there is nothing to hide",
         tokenizer.vocab_size());
  }
  if (rules_.whole_words) rest_of_word_ = rests_of_words(tokenizer, ordinary_);
}

std::vector<std::array<std::size_t, 2>> Masking::units(std::span<const std::int32_t> ids) const {
  std::vector<std::array<std::size_t, 2>> units;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (tokenizer_.is_special(ids[i])) continue;
    const bool goes_on = rules_.whole_words && !units.empty() && units.back()[1] == i &&
                         rest_of_word_[static_cast<std::size_t>(ids[i])];
    if (goes_on) {
      ++units.back()[1];
    } else {
      units.push_back({i, i + 1});
    }
  }
  return units;
}

std::int32_t Masking::replacement(std::int32_t id, Random& random) const {
  const double draw = random.uniform();
  if (draw < rules_.masked) return mask_;
  if (draw >= rules_.masked + rules_.random) return id;
  return ordinary_[random.below(ordinary_.size())];
}

TokenExample Masking::mask(const TokenExample& text, Random random) const {
  TokenExample masked = text;
  masked.tags.assign(text.ids.size(), -1);
  std::vector<std::array<std::size_t, 2>> order = units(text.ids);
  if (order.empty()) return masked;
  std::size_t tokens = 0;
  for (const auto& [begin, end] : order) tokens += end - begin;
  std::size_t left = hidden_count(tokens, rules_.share);
  random.shuffle(order);
  const auto hide = [&](const std::array<std::size_t, 2>& unit) {
    for (std::size_t i = unit[0]; i < unit[1]; ++i) {
      masked.tags[i] = text.ids[i];
      masked.ids[i] = replacement(text.ids[i], random);
    }
  };
  const std::size_t wanted = left;
  for (const auto& unit : order) {
    const std::size_t size = unit[1] - unit[0];
    if (size > left) continue;  // a word that is too long leaves its place to others
    hide(unit);
    left -= size;
  }
  if (left == wanted) hide(order.front());
  return masked;
}

SpanCorruption::SpanCorruption(const Tokenizer& tokenizer, const MaskingRules& rules, std::int32_t decoder_start)
    : tokenizer_(tokenizer), rules_(rules), decoder_start_(decoder_start) {
  for (;;) {
    const std::optional<std::int32_t> id = tokenizer.token_to_id(fmt::format("<extra_id_{}>", sentinels_.size()));
    if (!id) break;
    sentinels_.push_back(*id);
  }
  if (sentinels_.empty()) {
    fail(ErrorKind::config,
         "the tokenizer has no sentinels to hide spans with; expected tokens <extra_id_0>, <extra_id_1> …");
  }
}

TokenExample SpanCorruption::corrupt(const TokenExample& text, Random random) const {
  std::vector<std::int32_t> ids = text.ids;
  HONE_ASSERT(!ids.empty());
  std::optional<std::int32_t> ending = tokenizer_.eos_id();
  if (tokenizer_.is_special(ids.back())) {
    ending = ids.back();
    ids.pop_back();
  }
  HONE_ASSERT(!ids.empty());
  const std::size_t hidden = ids.size() == 1 ? 1 : std::min(hidden_count(ids.size(), rules_.share), ids.size() - 1);
  const auto wanted = static_cast<std::size_t>(std::llround(static_cast<double>(hidden) / rules_.mean_span));
  const std::size_t kept = ids.size() - hidden;
  const std::size_t most = std::min({hidden, std::max<std::size_t>(kept, 1), sentinels_.size()});
  const std::size_t spans = std::clamp<std::size_t>(wanted, 1, most);
  const std::vector<std::size_t> hidden_sizes = random_parts(hidden, spans, random);
  const std::vector<std::size_t> kept_sizes =
      kept == 0 ? std::vector<std::size_t>{0} : random_parts(kept, spans, random);
  TokenExample corrupted;
  corrupted.row = text.row;
  corrupted.ids.push_back(decoder_start_);
  corrupted.context_tokens = 1;
  auto at = ids.begin();
  for (std::size_t i = 0; i < spans; ++i) {
    const auto border = at + static_cast<std::ptrdiff_t>(kept_sizes[i]);
    const auto end = border + static_cast<std::ptrdiff_t>(hidden_sizes[i]);
    corrupted.source_ids.insert(corrupted.source_ids.end(), at, border);
    corrupted.source_ids.push_back(sentinels_[i]);
    corrupted.ids.push_back(sentinels_[i]);
    corrupted.ids.insert(corrupted.ids.end(), border, end);
    at = end;
  }
  if (ending) {
    corrupted.source_ids.push_back(*ending);
    corrupted.ids.push_back(*ending);
  }
  return corrupted;
}

}  // namespace hone
