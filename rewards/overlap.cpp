#include "rewards/overlap.h"

#include <array>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "metrics/bleu.h"
#include "metrics/rouge.h"
#include "rewards/sample_reward.h"

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
    const std::string text = episode.completion_text();
    const std::vector<std::string> references = reference_texts(reference_at(episode, key_));
    if (measure_ == Measure::bleu) return {.value = sentence_bleu(text, references)};
    const RougeKind kind = measure_ == Measure::rouge1   ? RougeKind::rouge1
                           : measure_ == Measure::rouge2 ? RougeKind::rouge2
                                                         : RougeKind::rouge_l;
    const Overlap best = rouge(kind, text, references);
    return {.value = best.f(), .parts = {{"precision", best.precision}, {"recall", best.recall}}};
  }

 private:
  static double sentence_bleu(const std::string& text, const std::vector<std::string>& references) {
    const BleuOptions options{.effective_order = true};
    std::vector<Words> words;
    for (const std::string& reference : references) words.push_back(options.words(reference));
    return bleu(bleu_counts(options.words(text), words), options);
  }

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
