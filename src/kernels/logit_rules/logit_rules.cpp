#include "kernels/logit_rules/logit_rules.h"

#include <algorithm>
#include <limits>

namespace hone::kernels {
namespace {

constexpr float kBanned = -std::numeric_limits<float>::infinity();

bool contains(std::span<const std::int32_t> ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool inside(std::int32_t id, std::span<const float> row) {
  return id >= 0 && static_cast<std::size_t>(id) < row.size();
}

void penalize(const LogitRules& rules, const TokenHistory& history, std::span<float> row) {
  if (rules.repetition_penalty == 1.0F && rules.presence_penalty == 0.0F && rules.frequency_penalty == 0.0F) return;
  for (const auto& [id, count] : history.counts()) {
    if (!inside(id, row)) continue;
    float& logit = row[static_cast<std::size_t>(id)];
    logit = logit < 0 ? logit * rules.repetition_penalty : logit / rules.repetition_penalty;
    if (count > 0) logit -= static_cast<float>(count) * rules.frequency_penalty + rules.presence_penalty;
  }
}

/// Sets logits to -inf and can undo it.
class Bans {
 public:
  explicit Bans(std::span<float> row) : row_(row) {}
  void add(std::int32_t id) {
    if (!inside(id, row_)) return;
    float& logit = row_[static_cast<std::size_t>(id)];
    if (logit == kBanned) return;
    before_.emplace_back(id, logit);
    logit = kBanned;
  }
  void lift() {
    for (const auto& [id, logit] : before_) row_[static_cast<std::size_t>(id)] = logit;
  }
  bool empty() const { return before_.empty(); }

 private:
  std::span<float> row_;
  std::vector<std::pair<std::int32_t, float>> before_;
};

/// The ids that followed each earlier occurrence of the last size - 1 ids.
void ban_ngrams(std::span<const std::int32_t> ids, std::size_t size, Bans& bans) {
  if (size == 0 || ids.size() < size) return;
  const auto last = ids.last(size - 1);
  for (std::size_t begin = 0; begin + size <= ids.size(); ++begin) {
    if (std::equal(last.begin(), last.end(), ids.begin() + static_cast<std::ptrdiff_t>(begin)))
      bans.add(ids[begin + size - 1]);
  }
}

void ban_words(const LogitRules& rules, std::span<const std::int32_t> ids, Bans& bans) {
  for (const std::vector<std::int32_t>& word : rules.bad_words) {
    if (word.empty() || word.size() - 1 > ids.size()) continue;
    if (word.size() == 1 && contains(rules.eos, word[0])) continue;
    const auto last = ids.last(word.size() - 1);
    if (std::equal(last.begin(), last.end(), word.begin())) bans.add(word.back());
  }
}

bool any_left(std::span<const float> row) {
  return std::any_of(row.begin(), row.end(), [](float logit) { return logit > kBanned; });
}

}  // namespace

bool LogitRules::active() const {
  return repetition_penalty != 1.0F || presence_penalty != 0.0F || frequency_penalty != 0.0F || !bias.empty() ||
         no_repeat_ngram_size > 0 || !bad_words.empty() || min_new_tokens > 0;
}

TokenHistory::TokenHistory(std::span<const std::int32_t> prompt)
    : ids_(prompt.begin(), prompt.end()), prompt_(prompt.size()) {
  for (const std::int32_t id : prompt) counts_.try_emplace(id);
}

void TokenHistory::append(std::int32_t id) {
  ids_.push_back(id);
  ++counts_[id];
}

bool apply_allowed(std::span<const std::uint64_t> allowed, std::span<float> row) {
  bool left = false;
  for (std::size_t begin = 0; begin < row.size(); begin += 64) {
    const std::uint64_t word = begin / 64 < allowed.size() ? allowed[begin / 64] : 0;
    const std::size_t count = std::min<std::size_t>(64, row.size() - begin);
    for (std::size_t i = 0; i < count; ++i) {
      float& logit = row[begin + i];
      if ((word >> i & 1) == 0) logit = kBanned;
      left |= logit > kBanned;
    }
  }
  return left;
}

void apply_logit_rules(const LogitRules& rules, const TokenHistory& history, std::span<const std::uint64_t> allowed,
                       std::span<float> row) {
  for (const auto& [id, bias] : rules.bias) {
    if (inside(id, row)) row[static_cast<std::size_t>(id)] += bias;
  }
  penalize(rules, history, row);
  Bans bans(row);
  ban_ngrams(history.ids(), static_cast<std::size_t>(std::max(rules.no_repeat_ngram_size, 0)), bans);
  ban_words(rules, history.ids(), bans);
  if (history.generated() < rules.min_new_tokens) {
    for (const std::int32_t id : rules.eos) bans.add(id);
  }
  const bool left = allowed.empty() ? bans.empty() || any_left(row) : apply_allowed(allowed, row);
  if (left || bans.empty()) return;
  bans.lift();
  if (!allowed.empty()) apply_allowed(allowed, row);
}

}  // namespace hone::kernels
