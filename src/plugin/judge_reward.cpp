#include "plugin/judge_reward.h"

#include "base/error.h"
#include "base/random.h"
#include "plugin/http/verdict.h"

namespace hone {

namespace {

Json message(std::string_view role, std::string content) {
  Json json = Json::object();
  json.set("role", role);
  json.set("content", std::move(content));
  return json;
}

class JudgeReward : public Reward {
 public:
  JudgeReward(const JudgeRewardSpec& spec, const Services& services)
      : client_(spec.service.options(spec.name, services.seed)),
        verdict_(spec.pattern, spec.json_key, spec.low, spec.high),
        model_(spec.model),
        prompt_(spec.prompt),
        system_(spec.system),
        max_tokens_(spec.max_tokens),
        seed_key_(stream_key(services.seed, "plugin/" + spec.name)) {}

  std::int64_t calls_at_once() const override { return client_.options().connections; }
  std::int64_t call_size() const override { return 1; }

  std::vector<Score> score(std::span<const Episode> episodes) override {
    std::vector<Score> scores;
    scores.reserve(episodes.size());
    for (const Episode& episode : episodes) scores.push_back(judge(episode));
    return scores;
  }

 private:
  std::string request(const Episode& episode) const {
    Json::Array messages;
    if (!system_.empty()) messages.push_back(message("system", system_));
    messages.push_back(message("user", fill_template(prompt_, episode)));
    Json body = Json::object();
    body.set("model", model_);
    body.set("messages", std::move(messages));
    body.set("temperature", 0);
    body.set("seed", static_cast<std::int64_t>(episode_seed(seed_key_, episode)));
    body.set("max_tokens", max_tokens_);
    return body.dump();
  }

  Score judge(const Episode& episode) {
    const HttpReply reply = client_.post(request(episode));
    if (!reply.ok()) return Score::error(reply.error, reply.reason);
    try {
      const Json json = Json::parse(reply.body, "the reply");
      const Json::Array& choices = json.at("choices").as_array();
      if (choices.empty()) fail(ErrorKind::data, "the reply has no choices");
      const Json& content = choices[0].at("message").at("content");
      Score score = verdict_.read(content.is_null() ? "" : content.as_string());
      const Json* finish = choices[0].find("finish_reason");
      if (score.status == ScoreStatus::error && finish != nullptr && *finish == Json("length")) {
        score.note += fmt::format(" (cut off at max_tokens: {})", max_tokens_);
      }
      return score;
    } catch (const Error& error) {
      return Score::error(fmt::format("POST {}: {}, expected a chat completion: {}", client_.options().url.text(),
                                      error.what(), body_excerpt(reply.body)),
                          "protocol");
    }
  }

  HttpClient client_;
  VerdictReader verdict_;
  std::string model_;
  std::string prompt_;
  std::string system_;
  std::int64_t max_tokens_;
  std::uint64_t seed_key_;
};

}  // namespace

void JudgeRewardSpec::describe_reward(Fields& f) {
  service.describe(f);
  f.field("model", model, "Name that the endpoint knows the judge by.");
  f.required();
  f.field("prompt", prompt, "What the judge is asked; {prompt}, {completion} and {reference} are filled in.");
  f.required();
  f.field("system", system, "System message; empty: none.");
  f.field("pattern", pattern, "PCRE2 pattern with one group; the number in its last match is the score.");
  f.field("json_key", json_key, "In place of a pattern: key of the JSON object that the judge writes.");
  f.field("low", low, "Least score the judge may give; what is below is an error.");
  f.field("high", high, "Greatest score the judge may give; what is above is an error.");
  f.field("max_tokens", max_tokens, "Longest reply of the judge.", between(1, 1e6));
  f.check(prompt.empty() || prompt.find("{completion}") != std::string::npos, "prompt",
          "Expected {completion} in it: without it the judge does not see what it judges.");
  f.check(low <= high, "high", "Expected high ≥ low.");
}

std::unique_ptr<Reward> JudgeRewardSpec::make(const Services& services) const {
  return std::make_unique<JudgeReward>(*this, services);
}

}  // namespace hone
