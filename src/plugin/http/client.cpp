#include "plugin/http/client.h"

#include <algorithm>
#include <ctime>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/utf8.h"
#include "io/checksum.h"

namespace hone {

namespace {

using Outcome = ExchangeResult::Outcome;

constexpr int most_redirects = 3;
constexpr std::size_t shown_bytes = 300;

std::chrono::steady_clock::duration seconds(double count) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(count));
}

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string_view status_name(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "";
  }
}

bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

bool is_redirect(int status) { return status == 307 || status == 308; }

std::string status_text(const ExchangeResult& result) {
  const std::string_view name = status_name(result.status);
  std::string text = fmt::format("{}{}{}", result.status, name.empty() ? "" : " ", name);
  if (result.status == 301 || result.status == 302 || result.status == 303) {
    text += fmt::format(", a redirect to \"{}\" that would lose the request's body", body_excerpt(result.location));
  }
  return text;
}

}  // namespace

std::string body_excerpt(std::string_view body) {
  std::string text = valid_utf8(body.substr(0, shown_bytes));
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return body.size() > shown_bytes ? text + "…" : text;
}

struct HttpClient::Call {
  std::string method;
  std::string target;  ///< at the configured host
  std::string_view body;
  std::string key;
  std::uint64_t number = 0;
  Clock::time_point start = Clock::now();
  Clock::time_point deadline;
  std::int64_t tries = 0;
  double wait = 0;
  HttpReply reply;

  double left() const { return std::chrono::duration<double>(deadline - Clock::now()).count(); }
  void fail(const Url& url, std::string_view what, std::string_view reason, std::string_view excerpt = {}) {
    const std::string effort = tries > 1 ? fmt::format(" ({} tries in {})", tries, format_duration(since(start))) : "";
    reply.error = fmt::format("{} {}://{}{}: {}{}{}{}", method, url.scheme(), url.authority(), target, what, effort,
                              excerpt.empty() ? "" : ": ", excerpt);
    reply.reason = reason;
  }
};

struct HttpClient::Slot {
  HttpClient& client;
  ~Slot() {
    const std::lock_guard lock(client.mutex_);
    --client.busy_;
    client.slot_free_.notify_one();
  }
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)),
      transport_({.ca_file = options_.ca_file, .most_idle = options_.connections}),
      breaker_(options_.breaker_failures, options_.breaker_rest) {}

HttpReply HttpClient::post(std::string_view json) {
  Call call{.method = "POST", .target = options_.url.target, .body = json};
  call.key = checksum(json) + checksum(options_.url.text() + '\n' + std::string(json));
  return run(call);
}

HttpReply HttpClient::get(const std::string& target) {
  Call call{.method = "GET", .target = target};
  return run(call);
}

HttpReply HttpClient::run(Call& call) {
  call.deadline = call.start + seconds(options_.timeout);
  if (!take_slot(call.deadline)) {
    call.fail(options_.url, fmt::format("all {} connections were busy for {} s", options_.connections, options_.timeout),
              "timeout");
    return std::move(call.reply);
  }
  const Slot slot{*this};
  while (!attempt(call)) std::this_thread::sleep_for(seconds(call.wait));
  return std::move(call.reply);
}

bool HttpClient::take_slot(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  if (!slot_free_.wait_until(lock, deadline, [this] { return busy_ < options_.connections; })) return false;
  ++busy_;
  return true;
}

/// Sleeps while the breaker is open. False when it stays so beyond the call's deadline.
bool HttpClient::wait_for_breaker(Call& call) {
  while (const auto until = breaker_.refused_until(Clock::now())) {
    if (*until >= call.deadline) {
      const std::lock_guard lock(mutex_);
      call.fail(options_.url, "not sent, the service has failed too often; last: " + last_failure_, "http");
      return false;
    }
    std::this_thread::sleep_until(*until);
  }
  return true;
}

bool HttpClient::attempt(Call& call) {
  if (!wait_for_breaker(call)) return true;
  if (call.tries++ == 0) {
    const std::lock_guard lock(mutex_);
    call.number = calls_++;
  } else {
    ++retries_;
  }
  call.reply = {};
  return judge(call, send(call));
}

/// One try, redirects included.
ExchangeResult HttpClient::send(const Call& call) {
  Url url = options_.url;
  url.target = call.target;
  for (int hops = 0;; ++hops) {
    const bool at_home = url.same_place(options_.url);
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: hone\r\nAccept: application/json\r\n",
                                   call.method, url.target, url.authority());
    if (!call.key.empty()) head += fmt::format("Idempotency-Key: {}\r\n", call.key);
    if (!options_.token.empty() && at_home) head += fmt::format("Authorization: Bearer {}\r\n", options_.token);
    if (call.method == "POST") {
      head += fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", call.body.size());
    }
    head += "\r\n";
    head += call.body;
    ExchangeResult result = transport_.run({.url = url,
                                            .bytes = std::move(head),
                                            .any_address = options_.any_address && at_home,
                                            .max_reply = options_.max_reply,
                                            .deadline = call.deadline});
    if (result.outcome != Outcome::reply || !is_redirect(result.status)) {
      if (result.outcome != Outcome::reply && hops > 0) result.why = fmt::format("redirected to {}: {}", url.text(), result.why);
      return result;
    }
    const std::string location = body_excerpt(result.location);
    if (hops == most_redirects) return {.outcome = Outcome::refused, .why = fmt::format("more than {} redirects", hops)};
    try {
      url = redirected(url, result.location);
    } catch (const Error& error) {
      return {.outcome = Outcome::refused, .why = fmt::format("not followed to \"{}\": {}", location, error.what())};
    }
  }
}

/// Decides what a try means for the call and for the breaker.
bool HttpClient::judge(Call& call, const ExchangeResult& result) {
  call.reply.status = result.status;
  call.wait = -1;
  bool service_failed = true;
  switch (result.outcome) {
    case Outcome::reply:
      call.reply.content_type = result.content_type;
      if (result.status / 100 == 2) {
        breaker_.succeeded();
        call.reply.body = result.body;
        return true;
      }
      call.fail(options_.url, status_text(result), "http", body_excerpt(result.body));
      if (may_pass(result.status)) call.wait = retry_after_seconds(result.retry_after, std::time(nullptr)).value_or(0);
      service_failed = result.status >= 500;
      break;
    case Outcome::timed_out:
      call.fail(options_.url, fmt::format("{} (timeout: {} s)", result.why, options_.timeout), "timeout");
      break;
    case Outcome::failed:
      call.fail(options_.url, result.why, "http");
      call.wait = 0;
      break;
    case Outcome::malformed:
      call.fail(options_.url, result.why, "protocol");
      break;
    case Outcome::refused:
      call.fail(options_.url, result.why, "refused");
      breaker_.undecided();
      return true;
  }
  if (service_failed) {
    breaker_.failed(Clock::now());
    const std::lock_guard lock(mutex_);
    last_failure_ = call.reply.error;
  } else {
    breaker_.succeeded();
  }
  if (call.wait < 0 || call.tries > options_.retries) return true;
  Random random(stream_key(options_.seed, "retry"), call.number, static_cast<std::uint32_t>(call.tries));
  const double asked = call.wait;
  call.wait = std::max(asked, options_.backoff.wait(call.tries - 1, random));
  if (call.wait < call.left()) return false;
  call.reply.error += asked > 0 ? fmt::format("; it asks to wait {:.0f} s, longer than is left of the timeout", asked)
                                : "; no time is left for another try";
  return true;
}

}  // namespace hone
