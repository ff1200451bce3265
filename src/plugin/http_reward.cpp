#include "plugin/http_reward.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "plugin/wire.h"

namespace hone {

namespace {

constexpr std::array<std::string_view, 3> scopes{"sample", "group", "batch"};

class HttpReward : public Reward {
 public:
  HttpReward(const HttpRewardSpec& spec, const Services& services)
      : client_(spec.service.options(spec.name, services.seed)),
        dialect_(spec.dialect),
        scope_(static_cast<RewardScope>(spec.scope)),
        batch_(spec.dialect == HttpDialect::slime ? 1 : spec.batch),
        label_key_(spec.key),
        seed_key_(stream_key(services.seed, "plugin/" + spec.name)) {}

  RewardScope scope() const override { return scope_; }
  std::int64_t calls_at_once() const override { return client_.options().connections; }
  std::int64_t call_size() const override { return scope_ == RewardScope::batch ? 0 : batch_; }

  std::vector<Score> score(std::span<const Episode> episodes) override {
    std::vector<Score> scores;
    scores.reserve(episodes.size());
    while (scores.size() < episodes.size()) {
      const std::span<const Episode> rest = episodes.subspan(scores.size());
      for (Score& score : request(rest.first(request_size(rest)))) scores.push_back(std::move(score));
    }
    return scores;
  }

  /// How often the service had to be asked again, and connected to.
  std::vector<std::pair<std::string, double>> take_metrics() override {
    const std::int64_t retries = client_.retries(), connects = client_.counts().connects;
    return {{"retries", static_cast<double>(retries - std::exchange(told_retries_, retries))},
            {"connects", static_cast<double>(connects - std::exchange(told_connects_, connects))}};
  }

  void check_health(const std::string& target) {
    const HttpReply reply = client_.get(target);
    if (!reply.ok()) fail(ErrorKind::service, "the reward's service is not well: {}", reply.error);
    if (!reply.body.starts_with('{')) return;  // any other word of a 2xx will do
    const Json json = Json::parse(reply.body, client_.options().url.text());
    const Json* scope = json.find("scope");
    if (scope != nullptr && scope->is_string() && scope->as_string() != scope_name(scope_)) {
      fail(ErrorKind::config, "scope: the service at {} scores by {}, this reward says {}; write `scope: {}`",
           client_.options().url.text(), scope->as_string(), scope_name(scope_), scope->as_string());
    }
  }

 private:
  /// Episodes of the next request: at most `batch`, groups whole where the scope wants it.
  std::size_t request_size(std::span<const Episode> rest) const {
    const auto most = static_cast<std::size_t>(batch_);
    if (scope_ == RewardScope::batch || rest.size() <= most) return rest.size();
    if (scope_ == RewardScope::sample) return most;
    const auto begins_group = [&](std::size_t i) { return i == rest.size() || rest[i].group != rest[i - 1].group; };
    std::size_t size = most;
    while (size > 0 && !begins_group(size)) --size;
    if (size > 0) return size;
    size = most;
    while (!begins_group(size)) ++size;
    return size;
  }

  /// One episode without a label spoils no other.
  std::vector<Score> one_by_one(std::span<const Episode> episodes) {
    std::vector<Score> scores;
    for (std::size_t i = 0; i < episodes.size(); ++i) scores.push_back(request(episodes.subspan(i, 1)).front());
    return scores;
  }

  std::vector<Score> request(std::span<const Episode> episodes) {
    std::string body;
    try {
      body = http_request_body(dialect_, episodes, seed_key_, label_key_);
    } catch (const Error& error) {
      if (episodes.size() == 1) return {Score::error(error.what())};
      return one_by_one(episodes);
    }
    const HttpReply reply = client_.post(body);
    if (!reply.ok()) return std::vector<Score>(episodes.size(), Score::error(reply.error, reply.reason));
    try {
      return http_scores(dialect_, reply.body, episodes.size());
    } catch (const Error& error) {
      const std::string why = fmt::format("POST {}: {} ({}): {}", client_.options().url.text(), error.what(),
                                          reply.content_type.empty() ? "no content type" : reply.content_type,
                                          body_excerpt(reply.body));
      return std::vector<Score>(episodes.size(), Score::error(why, "protocol"));
    }
  }

  HttpClient client_;
  HttpDialect dialect_;
  RewardScope scope_;
  std::int64_t batch_;
  std::string label_key_;
  std::uint64_t seed_key_;
  std::int64_t told_retries_ = 0;
  std::int64_t told_connects_ = 0;
};

}  // namespace

void HttpServiceConfig::describe(Fields& f) {
  f.field("url", url, "Where to POST: http:// or https://, host, port, path.");
  f.required();
  f.field("timeout", timeout, "For a whole call: every try, the waits between them and redirects.", above(0.0));
  f.field("retries", retries, "Tries after the first, when the service is busy, fails or cannot be reached.",
          between(0, 100));
  f.field("connections", connections, "Calls at the service at once.", between(1, 1024));
  f.field("max_reply", max_reply, "Longest reply; more is cut off and is an error.", between(1, 4e9));
  f.field("token_env", token_env, "Environment variable with a bearer token; empty: none is sent.");
  f.field("ca_file", ca_file, "Certificates (PEM) to trust for https; empty: the system's.");
  f.field("allow_private", allow_private,
          "The url may lead to this machine, a private network or a link-local address. Redirects to other hosts may not.");
}

HttpOptions HttpServiceConfig::options(const std::string& reward, std::uint64_t seed) const {
  HttpOptions options{.url = parse_url(url),
                      .timeout = timeout.count,
                      .retries = retries,
                      .connections = connections,
                      .max_reply = max_reply.count,
                      .ca_file = ca_file,
                      .any_address = allow_private,
                      .seed = stream_key(seed, "plugin/" + reward)};
  if (token_env.empty()) return options;
  const char* token = std::getenv(token_env.c_str());
  if (token == nullptr || *token == '\0') {
    fail(ErrorKind::config, "reward {}: the environment variable {} (token_env) is not set", reward, token_env);
  }
  options.token = token;
  if (std::ranges::any_of(options.token, [](char c) { return c <= ' ' || c == 127; })) {
    fail(ErrorKind::config, "reward {}: the token in {} holds white space or control characters", reward, token_env);
  }
  return options;
}

void HttpRewardSpec::describe_reward(Fields& f) {
  service.describe(f);
  f.choice("dialect", dialect, http_dialects, "What the service speaks.");
  f.field("batch", batch, "Most episodes of one request; slime has one always.", between(1, 100000));
  f.choice("scope", scope, scopes, "What the service must see at once: any samples, whole groups, or everything.");
  f.field("key", key, "Key of the reference that openrlhf and slime get as the label; empty: all of it.");
  f.field("health", health, "Path that must answer a GET with 2xx before the run begins, as /health; empty: not asked.");
  f.check(dialect != HttpDialect::slime || scope == 0, "scope", "slime's dialect has one episode a request: scope sample only.");
  f.check(health.empty() || health.starts_with('/'), "health", "Expected a path that begins with \"/\".");
}

std::unique_ptr<Reward> HttpRewardSpec::make(const Services& services) const {
  auto reward = std::make_unique<HttpReward>(*this, services);
  if (!health.empty()) reward->check_health(health);
  return reward;
}

}  // namespace hone
