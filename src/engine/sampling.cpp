#include "engine/sampling.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace hone {

namespace {

constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();

std::optional<std::int32_t> token_id(std::string_view text) {
  std::int32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id < 0) return std::nullopt;
  return id;
}

}  // namespace

void SamplingConfig::describe(Fields& f) {
  f.field("temperature", temperature, "Divides the logits; 0 takes the most likely token.", at_least(0));
  f.field("top_k", top_k, "Keeps the k most likely tokens; 0: all.", at_least(0));
  f.field("top_p", top_p, "Keeps the most likely tokens whose probability reaches it; 1: all.",
          {.low = 0, .high = 1, .open_low = true});
  f.field("min_p", min_p, "Keeps tokens of at least this share of the largest probability; 0: all.", between(0, 1));
  f.field("max_tokens", max_tokens, "Longest completion in tokens.", at_least(1));
  f.field("stop", stop, "Texts that end a completion; they are cut from its text.");
  f.field("repetition_penalty", repetition_penalty,
          "Divides positive logits of tokens that prompt or completion have, and multiplies negative ones; 1: off.",
          above(0));
  f.field("presence_penalty", presence_penalty,
          "Subtracted from the logits of tokens that the completion has; negative values favour them.");
  f.field("frequency_penalty", frequency_penalty, "… as many times as it has them.");
  f.field("no_repeat_ngram", no_repeat_ngram, "No run of so many tokens comes twice in prompt and completion; 0: off.",
          at_least(0));
  f.field("min_tokens", min_tokens, "No end of sequence before so many tokens.", at_least(0));
  f.field("logit_bias", logit_bias, "Added to logits: a map of token ids to numbers.");
  f.field("eos_ids", eos_ids, "Ids that end a completion beside the tokenizer's end of sequence.", at_least(0));
  f.check(min_tokens <= max_tokens, "min_tokens", "must not exceed max_tokens");
  f.check(std::ranges::all_of(logit_bias, [](const auto& entry) { return token_id(entry.first).has_value(); }),
          "logit_bias", "keys must be token ids");
}

kernels::LogitRules SamplingConfig::logit_rules(std::int64_t vocabulary, std::vector<std::int32_t> eos) const {
  kernels::LogitRules rules;
  rules.repetition_penalty = static_cast<float>(repetition_penalty);
  rules.presence_penalty = static_cast<float>(presence_penalty);
  rules.frequency_penalty = static_cast<float>(frequency_penalty);
  rules.no_repeat_ngram_size = static_cast<std::int32_t>(std::min(no_repeat_ngram, most));
  rules.min_new_tokens = static_cast<std::int32_t>(std::min(min_tokens, most));
  rules.eos = std::move(eos);
  for (const auto& [text, bias] : logit_bias) {
    const std::optional<std::int32_t> id = token_id(text);
    if (!id || *id >= vocabulary) {
      fail(ErrorKind::config, "logit_bias names token '{}', expected an id from 0 to {}", text, vocabulary - 1);
    }
    rules.bias.emplace_back(*id, static_cast<float>(bias));
  }
  return rules;
}

bool SamplingConfig::reshapes() const {
  const bool steers = repetition_penalty != 1.0 || presence_penalty != 0.0 || frequency_penalty != 0.0 ||
                      no_repeat_ngram > 0 || min_tokens > 0 || !logit_bias.empty();
  return temperature > 0 && (steers || rule().truncates());
}

}  // namespace hone
