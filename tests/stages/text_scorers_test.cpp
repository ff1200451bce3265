#include "stages/text_scorers.h"

#include "stages/tiny_run.h"
#include "text/chat_format.h"

using namespace hone;
using namespace hone::test;

namespace {

/// "uhi" asks, "aok" answers, perhaps with the end of the sequence.
std::string chat_template(bool ends) {
  return std::string("{% for m in messages %}{{ m.role[0] }}{{ m.content }}") +
         (ends ? "{% if m.role == 'assistant' %}<|eos|>{% endif %}" : "") +
         "{% endfor %}{% if add_generation_prompt %}a{% endif %}";
}

std::vector<TextScorer::Item> as_conversation_and_as_text(std::string answer) {
  TextScorer::Item conversation{.completion = answer};
  conversation.messages = {{.role = "user", .content = "hi", .fields = {}}};
  return {conversation, {.prompt = "uhia", .completion = answer}};
}

}  // namespace

TEST_CASE("stages: the likelihood of an answer to a conversation is that of its turn") {
  TinyRun tiny;
  tiny.run.tokenizer->set_chat(ChatFormat::given(chat_template(true)));
  const auto scorer = likelihood_scorer(tiny.run.frozen_copy(), *tiny.run.tokenizer);
  const std::vector<double> values = scorer->score(as_conversation_and_as_text("ok"));
  CHECK(values[0] < 0);
  CHECK(values[0] == doctest::Approx(values[1]).epsilon(1e-9));
  const std::vector<double> others = scorer->score(as_conversation_and_as_text("no"));
  CHECK(others[0] != values[0]);
  const std::string lengthy(100, 'z');  // longer than the context: the beginning goes, an answer is still judged
  TextScorer::Item item = as_conversation_and_as_text("ok")[0];
  item.messages[0].content = lengthy;
  CHECK(std::isfinite(scorer->score(std::vector{item})[0]));
}

TEST_CASE("stages: a head reads a conversation as the template writes it") {
  TinyRun tiny;
  tiny.run.tokenizer->set_chat(ChatFormat::given(chat_template(false)));
  const HeadPlan plan{.lm = false, .scores = 2, .score_kind = HeadKind::classes};
  tiny.run.use_heads(plan);
  auto frozen = std::make_unique<Model>(*tiny.run.policy, plan, kernels::Compute::float32, false);
  frozen->copy_weights(*tiny.run.model);
  const auto scorer = head_scorer(std::move(frozen), *tiny.run.tokenizer);
  const std::vector<double> values = scorer->score(as_conversation_and_as_text("ok"));
  CHECK(values[0] == doctest::Approx(values[1]).epsilon(1e-9));
}

TEST_CASE("stages: a conversation cannot be judged by a model without a chat template") {
  TinyRun tiny;
  const auto scorer = likelihood_scorer(tiny.run.frozen_copy(), *tiny.run.tokenizer);
  HONE_CHECK_ERROR(config, scorer->score(as_conversation_and_as_text("ok")), "chat template");
}
