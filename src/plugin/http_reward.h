#pragma once

#include <memory>
#include <string>

#include "flow/reward.h"
#include "plugin/http/client.h"
#include "plugin/http/dialect.h"

namespace hone {

/// How a service is reached: the fields that every reward behind HTTP has.
struct HttpServiceConfig {
  std::string url;
  Seconds timeout{60};
  std::int64_t retries = 4;
  std::int64_t connections = 8;
  Bytes max_reply{64 << 20};
  std::string token_env;
  std::string ca_file;
  bool allow_private = true;

  void describe(Fields& f);
  /// Error{config} when the url is none, or the token's variable is not set.
  HttpOptions options(const std::string& reward, std::uint64_t seed) const;
};

/// Scores of a service: POST with a batch of episodes, a number each back. docs/plugins_http.md has the dialects.
class HttpRewardSpec : public RewardSpec {
 public:
  HttpServiceConfig service;
  HttpDialect dialect = HttpDialect::hone;
  std::int64_t batch = 64;
  std::size_t scope = 0;
  std::string key;
  std::string health;

  void describe_reward(Fields& f) override;
  /// Error{service} when there is a health target and it does not answer well within the timeout; Error{config} when
  /// it names another scope than this reward's.
  std::unique_ptr<Reward> make(const Services& services) const override;
};

}  // namespace hone
