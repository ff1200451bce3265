#pragma once

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <future>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "plugin/http/transport.h"

/// The thread and the connections behind transport.cpp, which alone includes this: Boost's headers take seconds.
namespace hone {

namespace detail {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::uint32_t longest_head = 32 * 1024;

/// The network thread. It takes no signals: those belong to the threads that know what to do with them.
class NetworkThread {
 public:
  static std::shared_ptr<NetworkThread> shared() {
    static std::mutex mutex;
    static std::weak_ptr<NetworkThread> only;
    const std::lock_guard lock(mutex);
    std::shared_ptr<NetworkThread> made = only.lock();
    if (!made) only = made = std::make_shared<NetworkThread>();
    return made;
  }

  NetworkThread() : context_(std::make_shared<boost::asio::io_context>(1)), work_(boost::asio::make_work_guard(*context_)) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::promise<void> ended;
    ended_ = ended.get_future();
    thread_ = std::thread([context = context_, ended = std::move(ended)]() mutable {
      serve(*context);
      context.reset();
      ended.set_value();
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  /// A name server that does not answer may keep the resolver for half a minute, and nothing can interrupt it: then
  /// the thread is left behind instead of waited for.
  ~NetworkThread() {
    work_.reset();
    context_->stop();
    context_.reset();
    const bool inside = thread_.get_id() == std::this_thread::get_id();  // a handler was the last to need it
    if (!inside && ended_.wait_for(std::chrono::seconds(1)) == std::future_status::ready) {
      thread_.join();
    } else {
      thread_.detach();
    }
  }

  boost::asio::io_context& context() { return *context_; }

 private:
  static void serve(boost::asio::io_context& context) {
    for (;;) {
      try {
        context.run();
        return;
      } catch (const std::exception& error) {
        log_error("the network thread met an error and goes on: {}", error.what());
      }
    }
  }

  std::shared_ptr<boost::asio::io_context> context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::future<void> ended_;
  std::thread thread_;
};

struct Connection {
  explicit Connection(boost::asio::io_context& context) : socket(context) {}
  boost::asio::ip::tcp::socket socket;
  std::unique_ptr<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls;
  boost::beast::flat_buffer buffer{read_size + longest_head};
};

}  // namespace detail

/// What the exchanges of one transport share. Only the network thread touches `idle`.
class Transport::Pool {
 public:
  explicit Pool(const Options& its_options)
      : options(its_options), network(detail::NetworkThread::shared()), tls(boost::asio::ssl::context::tls_client) {
    tls.set_options(boost::asio::ssl::context::no_tlsv1 | boost::asio::ssl::context::no_tlsv1_1);
    tls.set_verify_mode(boost::asio::ssl::verify_peer);
    boost::system::error_code error;
    if (options.ca_file.empty()) {
      tls.set_default_verify_paths(error);
    } else {
      tls.load_verify_file(options.ca_file, error);
    }
    if (error) {
      fail(ErrorKind::config, "ca_file {}: expected certificates in PEM, got: {}", options.ca_file, error.message());
    }
  }

  std::unique_ptr<detail::Connection> take(const Url& url) {
    const auto found = idle.find(url.scheme() + "://" + url.authority());
    if (found == idle.end() || found->second.empty()) return nullptr;
    std::unique_ptr<detail::Connection> connection = std::move(found->second.back());
    found->second.pop_back();
    return connection;
  }
  void keep(const Url& url, std::unique_ptr<detail::Connection> connection) {
    auto& kept = idle[url.scheme() + "://" + url.authority()];
    if (static_cast<std::int64_t>(kept.size()) < options.most_idle) kept.push_back(std::move(connection));
  }

  const Options options;
  const std::shared_ptr<detail::NetworkThread> network;  // outlives the connections below
  boost::asio::ssl::context tls;
  std::map<std::string, std::vector<std::unique_ptr<detail::Connection>>> idle;
  std::atomic<std::int64_t> connects = 0;
  std::atomic<std::int64_t> reuses = 0;
  std::atomic<std::int64_t> crossed = 0;
};

}  // namespace hone
