#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "plugin/http/circuit_breaker.h"
#include "plugin/http/retry.h"
#include "plugin/http/transport.h"
#include "plugin/http/url.h"

namespace hone {

struct HttpOptions {
  Url url;
  double timeout = 60;           ///< seconds of a whole call: tries, waits and redirects together
  std::int64_t retries = 4;      ///< tries after the first
  std::int64_t connections = 8;  ///< calls on the wire at once; further ones wait, within their timeout
  std::int64_t max_reply = 64 << 20;
  std::string token;             ///< sent as a bearer token, to `url`'s own host and port only
  std::string ca_file;           ///< PEM; "" for the system's authorities
  bool any_address = true;       ///< `url` may lead to this machine, a private network or a link-local address
  std::uint64_t seed = 0;        ///< of the waits between tries
  Backoff backoff;
  std::int64_t breaker_failures = 10;  ///< failed tries in a row, over all calls
  double breaker_rest = 5;             ///< seconds
};

/// What came of a call: a body, or why there is none.
struct HttpReply {
  int status = 0;
  std::string body;
  std::string content_type;
  std::string error;   ///< "POST http://host/path: 503 Service Unavailable (4 tries in 3.1 s): <first bytes>"; "" if all is well
  std::string reason;  ///< of an error: timeout, http, protocol or refused
  bool ok() const { return error.empty(); }
};

/// The first bytes of a body as one line of valid UTF-8, for messages.
std::string body_excerpt(std::string_view body);

/// Calls one HTTP service. Blocking; any number of threads at once.
///
///   call ──► a free connection ──► breaker ──► send ──► 2xx ───────────────────────────► body
///                                     ▲          ├────► 307, 308 ──► checked, sent there
///                                     └─ wait ◄──┼────► 408, 425, 429, 5xx, broken, no connection
///                                                └────► anything else ─────────────────► error
///
/// Every try of a call carries the same Idempotency-Key, made of the body: a service that remembers keys does not do
/// the work twice. Redirects keep to the scheme; other hosts than the configured one must have public addresses, and
/// do not see the token.
class HttpClient {
 public:
  /// Error{config} when ca_file cannot be read.
  explicit HttpClient(HttpOptions options);

  HttpReply post(std::string_view json);
  /// GET of another target of the same service.
  HttpReply get(const std::string& target);

  const HttpOptions& options() const { return options_; }
  Transport::Counts counts() const { return transport_.counts(); }
  /// Tries after the first, of all calls so far.
  std::int64_t retries() const { return retries_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Call;
  struct Slot;
  HttpReply run(Call& call);
  /// True when `call.reply` is final; false when it should be tried again after call.wait seconds.
  bool attempt(Call& call);
  bool judge(Call& call, const ExchangeResult& result);
  ExchangeResult send(const Call& call);
  bool wait_for_breaker(Call& call);
  bool take_slot(Clock::time_point deadline);

  HttpOptions options_;
  Transport transport_;
  CircuitBreaker breaker_;
  std::mutex mutex_;
  std::condition_variable slot_free_;
  std::int64_t busy_ = 0;
  std::atomic<std::int64_t> retries_ = 0;
  std::uint64_t calls_ = 0;  ///< numbers the streams that waits are drawn from
  std::string last_failure_;
};

}  // namespace hone
