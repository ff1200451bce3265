#include "server/reward_server.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "plugin/wire.h"
#include "server/score_request.h"

namespace hone {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds poll_interval{200};
constexpr std::size_t remembered_replies = 256;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

/// Takes equally long wherever the texts begin to differ.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() != b.size();
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  }
  return difference == 0;
}

class Session;

/// One request to score, for every session that sent it.
struct Job {
  std::string key;  ///< "" when it cannot be recognised again
  std::string body;
  std::vector<std::shared_ptr<Session>> waiters;
  int status = 0;  ///< 0 until it is done
  std::string reply;
  bool failed = false;  ///< some score is an error: the same question may get a better answer next time
};

}  // namespace

/// Only the network thread touches what no mutex guards, but for the counts.
class RewardServer::State {
 public:
  State(Reward& its_reward, const Options& its_options) : reward(its_reward), options(its_options), acceptor(context) {}

  void listen();
  void accept();
  void add(const std::shared_ptr<Session>& session, std::string key, std::string body);
  void close_idle();
  bool score_next(std::chrono::milliseconds patience);
  void finish(const std::shared_ptr<Job>& job);

  Reward& reward;
  const Options options;
  bool accepting = false;
  std::set<Session*> sessions;
  std::map<std::string, std::shared_ptr<Job>> known;
  std::deque<std::string> done_keys;

  std::mutex mutex;
  std::condition_variable job_waits;
  std::deque<std::shared_ptr<Job>> queue;

  std::atomic<bool> stopping = false;
  std::atomic<bool> drained = false;
  std::atomic<std::int64_t> under_way = 0;  ///< requests whose reply is not yet written
  std::atomic<std::int64_t> requests = 0, scored = 0, refused = 0;

  asio::io_context context{1};  // the last: sessions die with it and look at the members above
  tcp::acceptor acceptor;
};

namespace {

/// One connection: header, checks, body, reply, and again. Holds itself by the handlers that wait.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(RewardServer::State& state, tcp::socket socket) : state_(state), stream_(std::move(socket)) {
    state_.sessions.insert(this);
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
  }
  ~Session() {
    state_.sessions.erase(this);
    state_.accept();
  }

  void read() {
    parser_.emplace();
    parser_->body_limit(static_cast<std::uint64_t>(state_.options.max_body));
    stream_.expires_after(milliseconds(state_.options.idle_seconds));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) { self->on_header(error); });
  }

  void close_if_idle() {
    if (!busy_) stream_.cancel();
  }

  void reply(int status, std::string body, bool keep = true) {
    auto message = std::make_shared<http::response<http::string_body>>();
    message->version(11);
    message->result(static_cast<unsigned>(status));
    message->set(http::field::content_type, "application/json");
    if (status == 401) message->set(http::field::www_authenticate, "Bearer");
    if (status == 405) message->set(http::field::allow, parser_->get().target() == "/health" ? "GET" : "POST");
    if (status == 503) message->set(http::field::retry_after, "1");
    message->keep_alive(keep && parser_->get().keep_alive() && !state_.stopping);
    message->body() = std::move(body);
    message->prepare_payload();
    if (status != 200) ++state_.refused;
    stream_.expires_after(milliseconds(state_.options.idle_seconds));
    http::async_write(stream_, *message, [self = shared_from_this(), message](error_code error, std::size_t) {
      self->on_written(error, message->keep_alive());
    });
  }

 private:
  void begin() {
    busy_ = true;
    ++state_.under_way;
  }

  void on_header(error_code error) {
    if (error == http::error::end_of_stream || error == beast::error::timeout || error == asio::error::operation_aborted) return;
    begin();
    if (error == http::error::body_limit) return reply(413, too_large(), false);
    if (error) return reply(400, error_reply("the request is no valid HTTP: " + error.message()), false);
    const auto& head = parser_->get();
    const std::string_view target(head.target().data(), head.target().size());
    const bool health = target == "/health";
    if (!health && target != "/v1/score") return reply(404, error_reply("expected POST /v1/score or GET /health"), false);
    if (head.method() != (health ? http::verb::get : http::verb::post)) {
      return reply(405, error_reply(health ? "expected GET" : "expected POST"), false);
    }
    if (health) return reply(200, health_reply());
    ++state_.requests;
    if (!authorised()) return reply(401, error_reply("expected the header Authorization: Bearer <token>"), false);
    if (beast::iequals(head[http::field::expect], "100-continue")) return invite();
    read_body();
  }

  bool authorised() const {
    const auto sent = parser_->get()[http::field::authorization];
    return state_.options.token.empty() ||
           same_secret({sent.data(), sent.size()}, "Bearer " + state_.options.token);
  }

  void invite() {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->end();
                        self->read_body();
                      });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error == http::error::body_limit) return self->reply(413, self->too_large(), false);
      if (error) return self->end();
      self->stream_.expires_never();
      const auto key = self->parser_->get()["Idempotency-Key"];
      self->state_.add(self, std::string(key), std::move(self->parser_->get().body()));
    });
  }

  void on_written(error_code error, bool keep) {
    end();
    if (!error && keep) return read();
    if (error) return;
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(std::chrono::seconds(2));
    linger();
  }

  /// Closing while bytes of the request are unread would reset the connection, and the reply could be lost.
  void linger() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(64 * 1024), [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->linger();
    });
  }

  void end() {
    busy_ = false;
    --state_.under_way;
  }

  std::string too_large() const {
    return error_reply(fmt::format("the request has more than {} bytes", state_.options.max_body));
  }

  std::string health_reply() const {
    Json json = Json::object();
    json.set("status", "ok");
    json.set("protocol", plugin_protocol);
    json.set("name", state_.options.name);
    json.set("scope", scope_name(state_.reward.scope()));
    return json.dump();
  }

  RewardServer::State& state_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  bool busy_ = false;
};

}  // namespace

void RewardServer::State::listen() {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) fail(ErrorKind::config, "address: expected a numeric address as 127.0.0.1 or ::, got \"{}\"", options.address);
  const tcp::endpoint endpoint(address, options.port);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) fail(ErrorKind::io, "cannot listen on {} port {}: {}", options.address, options.port, error.message());
}

void RewardServer::State::accept() {
  const bool full = static_cast<std::int64_t>(sessions.size()) >= options.most_connections;
  if (accepting || stopping || full) return;
  accepting = true;
  acceptor.async_accept([this](error_code error, tcp::socket socket) {
    accepting = false;
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Session>(*this, std::move(socket))->read();
    accept();
  });
}

void RewardServer::State::add(const std::shared_ptr<Session>& session, std::string key, std::string body) {
  if (!key.empty()) key += fmt::format("/{}/{:x}", body.size(), std::hash<std::string_view>()(body));
  if (const auto found = known.find(key); !key.empty() && found != known.end()) {
    const std::shared_ptr<Job>& job = found->second;
    if (job->status != 0) return session->reply(job->status, job->reply);
    return job->waiters.push_back(session);
  }
  const auto job = std::make_shared<Job>(Job{.key = key, .body = std::move(body), .waiters = {session}});
  {
    const std::lock_guard lock(mutex);
    if (static_cast<std::int64_t>(queue.size()) >= options.most_waiting) {
      return session->reply(503, error_reply(fmt::format("{} requests wait already", queue.size())));
    }
    queue.push_back(job);
  }
  if (!key.empty()) known[key] = job;
  job_waits.notify_one();
}

/// One request of the queue, on a scoring thread. False when none came in time.
bool RewardServer::State::score_next(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex);
  if (!job_waits.wait_for(lock, patience, [this] { return !queue.empty() || drained; }) || queue.empty()) return false;
  const std::shared_ptr<Job> job = std::move(queue.front());
  queue.pop_front();
  lock.unlock();
  int status = 200;
  try {
    const std::vector<Episode> episodes = read_score_request(job->body);
    const std::vector<Score> scores = scores_of(reward, episodes);
    const auto is_error = [](const Score& score) { return score.status == ScoreStatus::error; };
    job->failed = std::ranges::any_of(scores, is_error);
    job->reply = score_reply(scores);
    scored += static_cast<std::int64_t>(episodes.size());
  } catch (const std::exception& error) {
    status = 400;
    job->reply = error_reply(error.what());
  }
  asio::post(context, [this, job, status] {
    job->status = status;
    finish(job);
  });
  return true;
}

void RewardServer::State::finish(const std::shared_ptr<Job>& job) {
  job->body = {};
  for (const std::shared_ptr<Session>& session : std::exchange(job->waiters, {})) session->reply(job->status, job->reply);
  if (job->key.empty()) return;
  if (job->failed) {
    known.erase(job->key);
    return;
  }
  done_keys.push_back(job->key);
  if (done_keys.size() <= remembered_replies) return;
  known.erase(done_keys.front());
  done_keys.pop_front();
}

void RewardServer::State::close_idle() {
  error_code ignored;
  acceptor.close(ignored);
  for (Session* session : sessions) session->close_if_idle();
}

RewardServer::RewardServer(Reward& reward, const Options& options) : state_(std::make_unique<State>(reward, options)) {
  state_->listen();
}

RewardServer::~RewardServer() {
  state_->queue.clear();  // sessions must not outlive their context
  state_->known.clear();
}

std::uint16_t RewardServer::port() const { return state_->acceptor.local_endpoint().port(); }

void RewardServer::stop() { state_->stopping = true; }

RewardServer::Counts RewardServer::counts() const { return {state_->requests, state_->scored, state_->refused}; }

void RewardServer::run(const std::function<bool()>& stopped) {
  State& state = *state_;
  const auto work = asio::make_work_guard(state.context);
  asio::post(state.context, [&state] { state.accept(); });
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the thread of run()
  std::thread network([&state] { state.context.run(); });
  std::vector<std::thread> scorers;
  const std::int64_t at_once = state.reward.calls_at_once();
  for (std::int64_t i = 0; i < at_once; ++i) {
    scorers.emplace_back([&state] {
      while (!state.drained) state.score_next(poll_interval);
    });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const auto wait = [&] {
    if (at_once == 0) {
      state.score_next(poll_interval);
    } else {
      std::this_thread::sleep_for(poll_interval);
    }
  };
  while (!state.stopping && !(stopped && stopped())) wait();
  state.stopping = true;
  asio::post(state.context, [&state] { state.close_idle(); });
  const auto deadline = std::chrono::steady_clock::now() + milliseconds(state.options.grace_seconds);
  while (state.under_way > 0 && std::chrono::steady_clock::now() < deadline) wait();
  if (state.under_way > 0) log_warn("stopped with {} requests unanswered", state.under_way.load());
  state.drained = true;
  state.job_waits.notify_all();
  for (std::thread& scorer : scorers) scorer.join();
  state.context.stop();
  network.join();
}

}  // namespace hone
