#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "plugin/http/url.h"

namespace hone {

/// One request on the wire and its reply, without any second thoughts: those are the client's (client.h).
struct Exchange {
  Url url;
  std::string bytes;          ///< the request as sent: head and body
  bool any_address = false;   ///< loopback, private and link-local addresses may be connected to
  std::int64_t max_reply = 0;  ///< bytes of body; a longer one is cut off while it is read
  std::chrono::steady_clock::time_point deadline;
};

struct ExchangeResult {
  enum class Outcome {
    reply,      ///< a whole reply, whatever its status
    timed_out,  ///< the deadline came first
    failed,     ///< no connection, or it broke: another try may succeed
    malformed,  ///< what came back is no HTTP, or too long
    refused,    ///< the address may not be connected to; nothing was sent
  };
  Outcome outcome = Outcome::failed;
  std::string why;  ///< of all but a reply, for people
  int status = 0;
  std::string body;
  std::string content_type;
  std::string location;
  std::string retry_after;
};

/// Connections of one client, kept alive between requests. Every transport of the process shares one network thread.
///
/// An exchange on a kept connection that the server has closed meanwhile is sent again on a fresh one, once: the two
/// crossed on the way, and no byte of a reply had come.
class Transport {
 public:
  struct Options {
    std::string ca_file;            ///< PEM; "" for the system's authorities
    double connect_seconds = 10;    ///< for TCP and TLS together, of one address
    std::int64_t most_idle = 8;     ///< connections kept
  };
  struct Counts {
    std::int64_t connects = 0;  ///< connections tried, one an address
    std::int64_t reuses = 0;    ///< exchanges that began on a kept connection
    std::int64_t crossed = 0;   ///< of these, sent again because the server had closed it
  };

  /// Error{config} when ca_file cannot be read.
  explicit Transport(const Options& options);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Blocks until the reply is whole, or the deadline. Any thread, any number at once.
  ExchangeResult run(const Exchange& exchange);
  Counts counts() const;

  class Pool;

 private:
  std::shared_ptr<Pool> pool_;
};

}  // namespace hone
