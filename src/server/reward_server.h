#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "flow/reward.h"

namespace hone {

/// Offers a reward over HTTP: POST /v1/score (score_request.h has the forms) and GET /health.
///
///   network thread: accept, read, check ──► queue ──► scoring threads: Reward::score ──► network thread: reply
///
/// As many scoring threads as the reward allows calls at once; a reward that allows none is called on the thread of
/// run(). A full queue answers 503 with Retry-After. Requests with an Idempotency-Key that was seen with the same body
/// get the reply of the first, also while that is still being scored. No TLS: that is a proxy's work.
///
/// Call order: run, once. stop may come from any thread.
class RewardServer {
 public:
  struct Options {
    std::string name = "reward";         ///< for /health
    std::string address = "127.0.0.1";   ///< numeric; "0.0.0.0" or "::" for every interface
    std::uint16_t port = 0;              ///< 0: any free one
    std::string token;                   ///< bearer token that /v1/score asks for; "": none
    std::int64_t max_body = 64 << 20;    ///< bytes of a request
    std::int64_t most_connections = 256; ///< further ones wait to be accepted
    std::int64_t most_waiting = 64;      ///< requests in the queue
    double idle_seconds = 60;            ///< for a whole request to arrive, or for none to come
    double grace_seconds = 30;           ///< for the requests under way when it stops
  };
  struct Counts {
    std::int64_t requests = 0;  ///< to /v1/score, refused ones too
    std::int64_t scored = 0;    ///< episodes
    std::int64_t refused = 0;   ///< with a status other than 200
  };

  /// Listens from now on. Error{io} that names the address when it cannot. `reward` outlives the server.
  RewardServer(Reward& reward, const Options& options);
  ~RewardServer();
  RewardServer(const RewardServer&) = delete;
  RewardServer& operator=(const RewardServer&) = delete;

  std::uint16_t port() const;

  /// Serves until stop() was called or `stopped`, asked several times a second, says so. Then accepts nothing more,
  /// finishes what it has, and returns.
  void run(const std::function<bool()>& stopped = {});
  void stop();
  Counts counts() const;

  class State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace hone
