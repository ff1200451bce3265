#include "plugin/http/transport.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fcntl.h>

#include <optional>

#include "base/error.h"
#include "plugin/http/address.h"
#include "plugin/http/network.h"

namespace hone {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using detail::Connection;
using detail::longest_head;
using detail::read_size;
using Outcome = ExchangeResult::Outcome;

std::string address_text(const tcp::endpoint& endpoint) { return endpoint.address().to_string(); }

AddressKind kind_of(const asio::ip::address& address) {
  if (address.is_v4()) return address_kind(address.to_v4().to_bytes());
  return address_kind(address.to_v6().to_bytes());
}

/// resolve → connect → handshake → write → read, each a step on the network thread that starts the next; the deadline
/// ends whichever is under way. Holds itself by the handlers that wait.
class Running : public std::enable_shared_from_this<Running> {
 public:
  Running(std::shared_ptr<Transport::Pool> pool, Exchange exchange)
      : pool_(std::move(pool)),
        exchange_(std::move(exchange)),
        resolver_(pool_->network->context()),
        deadline_(pool_->network->context()),
        connect_deadline_(pool_->network->context()) {}

  std::future<ExchangeResult> result() { return promise_.get_future(); }

  void start() {
    deadline_.expires_at(exchange_.deadline);
    deadline_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->finish(Outcome::timed_out, "no time left while " + self->doing_);
    });
    connection_ = pool_->take(exchange_.url);
    reused_ = connection_ != nullptr;
    if (reused_) {
      ++pool_->reuses;
      write();
    } else {
      resolve();
    }
  }

 private:
  void resolve() {
    doing_ = "resolving " + exchange_.url.host;
    error_code error;
    const asio::ip::address address = asio::ip::make_address(exchange_.url.host, error);
    if (!error) return choose({tcp::endpoint(address, exchange_.url.port)});
    // Not limited to the families of the configured interfaces: a machine may have none but its loopback.
    resolver_.async_resolve(exchange_.url.host, std::to_string(exchange_.url.port), tcp::resolver::numeric_service,
                            [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
                              if (self->done_) return;
                              if (error) {
                                return self->finish(Outcome::failed, "cannot find the host " + self->exchange_.url.host +
                                                                         ": " + error.message());
                              }
                              self->choose({found.begin(), found.end()});
                            });
  }

  /// Judges the very addresses that are connected to, so that a name cannot lead elsewhere after the check.
  void choose(const std::vector<tcp::endpoint>& found) {
    std::string refusal;
    for (const tcp::endpoint& endpoint : found) {
      const AddressKind kind = kind_of(endpoint.address());
      if (kind == AddressKind::global || (exchange_.any_address && kind != AddressKind::not_a_host)) {
        endpoints_.push_back(endpoint);
      } else {
        refusal = fmt::format("{} is {}, {}", exchange_.url.host, address_text(endpoint), address_kind_name(kind));
      }
    }
    if (endpoints_.empty()) return finish(Outcome::refused, "not connected: " + refusal);
    connect(0, "");
  }

  void connect(std::size_t index, const std::string& why) {
    if (index == endpoints_.size()) return finish(Outcome::failed, why);
    ++pool_->connects;
    doing_ = "connecting to " + address_text(endpoints_[index]);
    connection_ = std::make_unique<Connection>(pool_->network->context());
    error_code error;
    tcp::socket& socket = connection_->socket;
    if (!socket.open(endpoints_[index].protocol(), error)) {
      ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);  // no child process keeps a connection open
      socket.set_option(tcp::no_delay(true), error);
    }
    const auto limit = std::chrono::duration<double>(pool_->options.connect_seconds);
    connect_deadline_.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(limit));
    connect_deadline_.async_wait([self = shared_from_this(), index](error_code error) {
      if (!error && !self->done_ && self->connecting_ == index) self->close();  // its handler goes on
    });
    connecting_ = index;
    socket.async_connect(endpoints_[index], [self = shared_from_this(), index](error_code error) {
      if (self->done_) return;
      if (error) return self->try_next(index, error);
      if (self->exchange_.url.tls) return self->handshake(index);
      self->connected();
    });
  }

  void try_next(std::size_t index, error_code error) {
    const std::string reason = error == asio::error::operation_aborted || error == asio::error::bad_descriptor
                                   ? fmt::format("no answer within {} s", pool_->options.connect_seconds)
                                   : error.message();
    const char* what = connection_->tls ? "no TLS with" : "cannot connect to";
    connect(index + 1, fmt::format("{} {} port {}: {}", what, address_text(endpoints_[index]), exchange_.url.port, reason));
  }

  void handshake(std::size_t index) {
    doing_ = "in the TLS handshake";
    connection_->tls = std::make_unique<asio::ssl::stream<tcp::socket&>>(connection_->socket, pool_->tls);
    auto& tls = *connection_->tls;
    const std::string& host = exchange_.url.host;
    X509_VERIFY_PARAM* rules = SSL_get0_param(tls.native_handle());
    error_code no_address;
    asio::ip::make_address(host, no_address);
    if (no_address) {
      X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size());
      SSL_set_tlsext_host_name(tls.native_handle(), host.c_str());
    } else {
      X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str());
    }
    tls.async_handshake(asio::ssl::stream_base::client, [self = shared_from_this(), index](error_code error) {
      if (self->done_) return;
      if (!error) return self->connected();
      const long verdict = SSL_get_verify_result(self->connection_->tls->native_handle());
      if (verdict == X509_V_OK) return self->try_next(index, error);
      self->finish(Outcome::malformed, fmt::format("the certificate of {} is not accepted: {}", self->exchange_.url.host,
                                                   X509_verify_cert_error_string(verdict)));
    });
  }

  void connected() {
    connecting_ = endpoints_.size();
    connect_deadline_.cancel();
    write();
  }

  template <class Action>
  void on_stream(const Action& action) {
    if (connection_->tls) {
      action(*connection_->tls);
    } else {
      action(connection_->socket);
    }
  }

  void expect_reply() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(longest_head);
    parser_->body_limit(static_cast<std::uint64_t>(exchange_.max_reply));
  }

  void write() {
    doing_ = "sending the request";
    expect_reply();
    on_stream([this](auto& stream) {
      asio::async_write(stream, asio::buffer(exchange_.bytes),
                        [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
    });
  }

  /// A server may reply (too large, not authorised) and close before it has read everything: the reply counts.
  void on_written(error_code error) {
    if (done_) return;
    write_error_ = error;
    doing_ = "waiting for the reply";
    read();
  }

  void read() {
    auto& buffer = connection_->buffer;
    if (buffer.size() + 1 >= buffer.max_size()) return finish(Outcome::malformed, "the reply has too long a line");
    on_stream([&, this](auto& stream) {
      stream.async_read_some(buffer.prepare(std::min(read_size, buffer.max_size() - buffer.size())),
                             [self = shared_from_this()](error_code error, std::size_t count) { self->on_read(error, count); });
    });
  }

  void on_read(error_code error, std::size_t count) {
    if (done_) return;
    connection_->buffer.commit(count);
    if (error) return on_end(error);
    parse();
  }

  void parse() {
    auto& buffer = connection_->buffer;
    error_code error;
    while (!parser_->is_done() && buffer.size() > 0) {
      error = {};
      buffer.consume(parser_->put(buffer.data(), error));
      if (error == http::error::need_more) break;
      if (error) return finish(Outcome::malformed, parse_problem(error));
    }
    if (parser_->is_header_done()) {
      // Boost 1.74's parser forgets its limit when the announced body begins in the same bytes as the head ends.
      if (parser_->content_length().value_or(0) > static_cast<std::uint64_t>(exchange_.max_reply)) {
        return finish(Outcome::malformed, parse_problem(http::error::body_limit));
      }
      doing_ = fmt::format("reading the reply ({} bytes of its body came)", parser_->get().body().size());
    }
    if (!parser_->is_done()) return read();
    if (parser_->get().result_int() / 100 == 1) {  // an interim reply; the real one follows
      expect_reply();
      return buffer.size() > 0 ? parse() : read();
    }
    complete();
  }

  void on_end(error_code error) {
    if (!parser_->got_some() && connection_->buffer.size() == 0) {
      if (reused_) {
        ++pool_->crossed;
        reused_ = false;
        close();
        return resolve();
      }
      if (write_error_) error = write_error_;
      return finish(Outcome::failed, error == asio::error::eof ? "the connection was closed without a reply"
                                                               : "the connection broke: " + error.message());
    }
    if (error == asio::error::eof) {
      error_code cut;
      parser_->put_eof(cut);
      if (!cut && parser_->is_done()) return complete();
    }
    const std::string how = error == asio::error::eof ? "was closed" : "broke (" + error.message() + ")";
    finish(Outcome::failed, fmt::format("the connection {} in the middle of the reply, after {} bytes of its body", how,
                                        parser_->is_header_done() ? parser_->get().body().size() : 0));
  }

  std::string parse_problem(error_code error) const {
    if (error == http::error::body_limit) return fmt::format("the reply has more than {} bytes", exchange_.max_reply);
    return fmt::format("the reply is no valid HTTP: {}", error.message());
  }

  void complete() {
    ExchangeResult result;
    result.outcome = Outcome::reply;
    auto& message = parser_->get();
    result.status = static_cast<int>(message.result_int());
    const auto text = [&](http::field name) { return std::string(message[name]); };
    result.content_type = text(http::field::content_type);
    result.location = text(http::field::location);
    result.retry_after = text(http::field::retry_after);
    // What follows a reply belongs to no request: a wrong length, or worse. Such a connection is not trusted again.
    const bool keep = message.keep_alive() && !message.need_eof() && connection_->buffer.size() == 0 && !write_error_;
    result.body = std::move(message.body());
    if (keep) pool_->keep(exchange_.url, std::move(connection_));
    finish(std::move(result));
  }

  void finish(Outcome outcome, std::string why) { finish(ExchangeResult{.outcome = outcome, .why = std::move(why)}); }

  void finish(ExchangeResult result) {
    if (done_) return;
    done_ = true;
    deadline_.cancel();
    connect_deadline_.cancel();
    resolver_.cancel();
    close();
    promise_.set_value(std::move(result));
  }

  void close() {
    error_code ignored;
    if (connection_) connection_->socket.close(ignored);
  }

  std::shared_ptr<Transport::Pool> pool_;
  Exchange exchange_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_;
  asio::steady_timer connect_deadline_;
  std::vector<tcp::endpoint> endpoints_;
  std::unique_ptr<Connection> connection_;
  std::optional<http::response_parser<http::string_body>> parser_;
  std::size_t connecting_ = 0;
  std::string doing_ = "starting";
  error_code write_error_;
  bool reused_ = false;
  bool done_ = false;
  std::promise<ExchangeResult> promise_;
};

}  // namespace

Transport::Transport(const Options& options) : pool_(std::make_shared<Pool>(options)) {}

Transport::~Transport() {
  // Kept connections are closed where they are used, and the handlers of what was cancelled let go of the pool there.
  // Only a resolver that hangs may keep it longer.
  for (int round = 0; round < 100 && (round == 0 || pool_.use_count() > 1); ++round) {
    if (round > 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::promise<void> closed;
    asio::post(pool_->network->context(), [this, &closed] {
      pool_->idle.clear();
      closed.set_value();
    });
    closed.get_future().wait();
  }
}

ExchangeResult Transport::run(const Exchange& exchange) {
  const auto running = std::make_shared<Running>(pool_, exchange);
  std::future<ExchangeResult> result = running->result();
  asio::post(pool_->network->context(), [running] { running->start(); });
  return result.get();
}

Transport::Counts Transport::counts() const { return {pool_->connects, pool_->reuses, pool_->crossed}; }

}  // namespace hone
