#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace hone::test {

/// Ends the whole test program when a test takes longer, however it is stuck.
class Bounded {
 public:
  explicit Bounded(unsigned seconds = 60) { ::alarm(seconds); }
  ~Bounded() { ::alarm(0); }
};

/// The server's end of one connection.
class Peer {
 public:
  Peer(int fd, std::int64_t index, const std::atomic<bool>& stopping) : fd_(fd), index_(index), stopping_(stopping) {}
  ~Peer() { ::close(fd_); }

  int fd() const { return fd_; }
  std::int64_t index() const { return index_; }  ///< connections before this one

  /// Head and body of the next request; "" when the client has closed or the server is to stop.
  std::string request() {
    std::string text = std::exchange(rest_, {});
    while (true) {
      const std::size_t head = text.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t field = text.find("Content-Length: ");
        const std::size_t body = field < head ? std::strtoul(text.c_str() + field + 16, nullptr, 10) : 0;
        if (text.size() >= head + 4 + body) {
          rest_ = text.substr(head + 4 + body);
          return text.substr(0, head + 4 + body);
        }
      }
      char bytes[65536];
      const ssize_t count = receive(bytes, sizeof bytes);
      if (count <= 0) return "";
      text.append(bytes, static_cast<std::size_t>(count));
    }
  }

  /// False when the client is gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!ready(POLLOUT)) return false;
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void reply(std::string_view body, std::string_view status = "200 OK", std::string_view fields = "") {
    send("HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(body));
  }
  /// Closes so that the client sees a reset, not an end.
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  /// True when the client has closed; waits for that, or for the end of the test.
  bool wait_for_close() {
    char bytes[4096];
    ssize_t count = 1;
    while (count > 0) count = receive(bytes, sizeof bytes);
    return count == 0 || !stopping_;
  }
  bool pause(double seconds) const {
    for (int i = 0; i < seconds * 100 && !stopping_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return !stopping_;
  }

 private:
  bool ready(short events) const {
    while (!stopping_) {
      pollfd entry{fd_, events, 0};
      if (::poll(&entry, 1, 50) > 0) return (entry.revents & events) != 0;
    }
    return false;
  }
  ssize_t receive(char* bytes, std::size_t size) const { return ready(POLLIN) ? ::recv(fd_, bytes, size, 0) : -1; }

  int fd_;
  std::int64_t index_;
  const std::atomic<bool>& stopping_;
  std::string rest_;
};

/// A TCP server on 127.0.0.1 that does to each connection, on a thread of its own, what the test says.
class FaultServer {
 public:
  using Handler = std::function<void(Peer&)>;

  explicit FaultServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 128);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~FaultServer() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  int port() const { return port_; }
  std::string url(std::string_view path = "/v1/score") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  std::int64_t connections() const { return connections_; }

 private:
  void accept() {
    while (!stopping_) {
      pollfd entry{listener_, POLLIN, 0};
      if (::poll(&entry, 1, 50) <= 0) continue;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      threads_.emplace_back([this, fd, index = connections_++] {
        Peer peer(fd, index, stopping_);
        handler_(peer);
      });
    }
  }

  Handler handler_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> connections_ = 0;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A port of 127.0.0.1 that nothing listens on.
inline int closed_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  socklen_t size = sizeof address;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

/// The value of a field in the head of a request; "" when it is not there.
inline std::string header_of(std::string_view request, std::string_view name) {
  const std::size_t begin = request.find("\r\n" + std::string(name) + ": ");
  if (begin == std::string_view::npos || begin > request.find("\r\n\r\n")) return "";
  const std::size_t from = begin + name.size() + 4;
  return std::string(request.substr(from, request.find("\r\n", from) - from));
}

inline std::string body_of(std::string_view request) { return std::string(request.substr(request.find("\r\n\r\n") + 4)); }

}  // namespace hone::test
