#include "rewards/overlap.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rewards/sample_reward.h"
#include "rewards/text_overlap.h"

namespace hone {

namespace {

using Measure = OverlapSpec::Measure;

constexpr std::array<std::string_view, 4> measures{"bleu", "rouge1", "rouge2", "rougeL"};

class OverlapReward : public SampleReward {
 public:
  explicit OverlapReward(const OverlapSpec& spec) : key_(spec.key), measure_(spec.measure) {}

  std::int64_t calls_at_once() const override { return 2; }

 protected:
  Score judge(const Episode& episode) const override {
    const auto split = measure_ == Measure::bleu ? words_13a : rouge_words;
    const Words text = split(episode.completion_text());
    std::vector<Words> references;
    for (const std::string& reference : reference_texts(reference_at(episode, key_))) {
      references.push_back(split(reference));
    }
    if (measure_ == Measure::bleu) return {.value = bleu(bleu_counts(text, references), true)};
    Overlap best;
    for (const Words& reference : references) {
      const Overlap overlap = measure_ == Measure::rouge_l
                                  ? rouge_l(text, reference)
                                  : rouge_n(text, reference, measure_ == Measure::rouge1 ? 1 : 2);
      if (overlap.f() > best.f()) best = overlap;
    }
    return {.value = best.f(), .parts = {{"precision", best.precision}, {"recall", best.recall}}};
  }

 private:
  std::vector<std::string> reference_texts(const Json& reference) const {
    std::vector<std::string> texts;
    if (reference.is_string()) {
      texts.push_back(reference.as_string());
    } else if (reference.is_array()) {
      for (const Json& text : reference.as_array()) texts.push_back(text.as_string());
    }
    if (texts.empty()) {
      fail(ErrorKind::data, "the reference's \"{}\" must be a text or a list of texts, but is {}", key_,
           reference.dump());
    }
    return texts;
  }

  std::string key_;
  Measure measure_;
};

}  // namespace

void OverlapSpec::describe_reward(Fields& f) {
  f.field("key", key, "Key of the reference that holds the text or texts.");
  f.choice("measure", measure, measures, "What is computed.");
}

std::unique_ptr<Reward> OverlapSpec::make(const Services&) const { return std::make_unique<OverlapReward>(*this); }

}  // namespace hone
