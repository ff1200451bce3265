#include "stages/text_scorers.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "data/examples.h"
#include "data/packing.h"
#include "data/text_encoder.h"
#include "nn/layers.h"
#include "stages/model_kind.h"
#include "stages/packed_forward.h"
#include "stages/to_batch.h"
#include "text/chat_format.h"

namespace hone {

namespace {

constexpr std::int64_t tokens_per_pass = 8192;

std::vector<std::uint64_t> range(std::size_t count) {
  std::vector<std::uint64_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

Conversation conversation_of(const TextScorer::Item& item) {
  return answered(Conversation{to_json(item.messages), item.tools}, item.completion);
}

class LikelihoodScorer : public TextScorer {
 public:
  LikelihoodScorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer)
      : model_(std::move(model)), tokenizer_(tokenizer) {
    if (model_->policy->shape().kind != PolicyKind::decoder) {
      fail(ErrorKind::config, "the likelihood of answers is that of a causal decoder, and this model is none");
    }
  }

  std::vector<double> score(std::span<const Item> items) override {
    std::vector<TokenExample> examples;
    for (const Item& item : items) examples.push_back(example_of(item));
    const Batch batch = to_batch(pack(examples, range(examples.size())));
    const at::Tensor logprob_T = batch_logprobs(*model_, batch, 1.0, tokens_per_pass);
    std::vector<double> scores;
    for (std::int64_t s = 0; s < batch.sequences(); ++s) {
      const std::int64_t begin = batch.start_S1[s].item<int>();
      const std::int64_t length = batch.start_S1[s + 1].item<int>() - begin;
      const double sum = logprob_T.narrow(0, begin, length).sum().item<double>();
      scores.push_back(sum / std::max(1.0, batch.mask_T.narrow(0, begin, length).sum().item<double>()));
    }
    return scores;
  }

 private:
  TokenExample example_of(const Item& item) const {
    if (!item.messages.empty()) return answer_of(item);
    TokenExample example;
    example.ids = tokenizer_.encode(item.prompt, AddSpecial::yes);
    if (example.ids.empty() && tokenizer_.bos_id()) example.ids.push_back(*tokenizer_.bos_id());
    example.context_tokens = static_cast<std::int64_t>(example.ids.size());
    const std::vector<std::int32_t> completion = tokenizer_.encode(item.completion);
    example.ids.insert(example.ids.end(), completion.begin(), completion.end());
    if (tokenizer_.eos_id()) example.ids.push_back(*tokenizer_.eos_id());
    const auto context = static_cast<std::size_t>(model_->policy->shape().context);
    if (example.ids.size() > context) example.ids.resize(context);
    return example;
  }

  /// The last turn of a conversation; of one that is too long its beginning goes.
  TokenExample answer_of(const Item& item) const {
    ExampleEncoder encoder(tokenizer_, model_->policy->shape().context,
                           {.learned = Learned::last_turn, .overlong = Overlong::truncate_left});
    encoder.add_conversation(conversation_of(item), "a conversation");
    std::vector<TokenExample> examples = encoder.take();
    if (examples.empty()) fail(ErrorKind::data, "a conversation: the chat template marks nothing as the assistant's answer");
    return std::move(examples[0]);
  }

  std::unique_ptr<Model> model_;
  const Tokenizer& tokenizer_;
};

class HeadScorer : public TextScorer {
 public:
  HeadScorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer)
      : model_(std::move(model)), tokenizer_(tokenizer) {
    if (!model_->score || !(model_->plan.score_kind == HeadKind::reward || model_->plan.score_kind == HeadKind::classes)) {
      fail(ErrorKind::data, "the model has no score head for whole texts: expected a reward model or a classifier");
    }
  }

  std::vector<std::string> names() const override {
    if (!scores_several()) return {};
    std::vector<std::string> names = model_->plan.labels;
    for (auto k = static_cast<std::int64_t>(names.size()); k < model_->score->outputs(); ++k) {
      names.push_back(std::to_string(k));
    }
    return names;
  }

  std::vector<double> score(std::span<const Item> items) override {
    std::vector<TokenExample> examples;
    for (const Item& item : items) examples.push_back(example_of(item));
    const at::Tensor logits_SC =
        batch_scores(*model_, to_batch(pack(examples, range(examples.size()))), tokens_per_pass);
    const bool as_they_are = logits_SC.size(1) == 1 || scores_several();
    const at::Tensor doubles = (as_they_are ? logits_SC : log_odds_of_last(logits_SC)).to(at::kDouble).contiguous();
    return {doubles.data_ptr<double>(), doubles.data_ptr<double>() + doubles.numel()};
  }

 private:
  bool scores_several() const {
    return model_->plan.score_kind == HeadKind::reward && model_->score->outputs() > 1;
  }

  /// As the head learned it: conversations as the chat template writes them, a classifier a text as the tokenizer gives it, a
  /// reward model a document.
  TokenExample example_of(const Item& item) const {
    const ModelInput input = input_of(*model_);
    if (!item.messages.empty()) {
      return TextEncoder(tokenizer_, input, {.overlong = Overlong::truncate_left}).encode(conversation_of(item), "a conversation", 0);
    }
    const std::string text = item.prompt + item.completion;
    TokenExample example = model_->plan.score_kind == HeadKind::classes
                               ? TextEncoder(tokenizer_, input, {}).encode(text, std::nullopt, "a text", 0)
                               : document_example(tokenizer_, text, input);
    if (!example.ids.empty() || !tokenizer_.eos_id()) return example;
    (input.decoder_start ? example.source_ids : example.ids).push_back(*tokenizer_.eos_id());
    if (input.decoder_start) example.ids.push_back(*input.decoder_start);
    return example;
  }

  static at::Tensor log_odds_of_last(const at::Tensor& logits_SC) {
    const std::int64_t others = logits_SC.size(1) - 1;
    return logits_SC.select(1, others) - at::logsumexp(logits_SC.narrow(1, 0, others), 1);
  }

  std::unique_ptr<Model> model_;
  const Tokenizer& tokenizer_;
};

class OwningScorer : public TextScorer {
 public:
  OwningScorer(std::unique_ptr<Tokenizer> tokenizer, std::unique_ptr<TextScorer> scorer)
      : tokenizer_(std::move(tokenizer)), scorer_(std::move(scorer)) {}
  std::vector<std::string> names() const override { return scorer_->names(); }
  std::vector<double> score(std::span<const Item> items) override { return scorer_->score(items); }

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<TextScorer> scorer_;
};

}  // namespace

std::unique_ptr<TextScorer> likelihood_scorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer) {
  return std::make_unique<LikelihoodScorer>(std::move(model), tokenizer);
}

std::unique_ptr<TextScorer> head_scorer(std::unique_ptr<Model> model, const Tokenizer& tokenizer) {
  return std::make_unique<HeadScorer>(std::move(model), tokenizer);
}

std::unique_ptr<TextScorer> with_tokenizer(std::unique_ptr<Tokenizer> tokenizer, std::unique_ptr<TextScorer> scorer) {
  return std::make_unique<OwningScorer>(std::move(tokenizer), std::move(scorer));
}

}  // namespace hone
