#include "plugin/sandbox/messages.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"

namespace hone::sandbox {

namespace {

class Writer {
 public:
  template <class Number>
  void number(Number value) {
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view value) {
    number<std::uint64_t>(value.size());
    out_ += value;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}
  template <class Number>
  Number number() {
    Number value;
    std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(bytes(number<std::uint64_t>())); }

 private:
  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) fail(ErrorKind::internal, "a message of the sandbox is cut short");
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
};

bool wait_for(int socket, short events, std::chrono::steady_clock::time_point until, bool limited) {
  for (;;) {
    int wait = -1;
    if (limited) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      wait = static_cast<int>(std::min<std::int64_t>(left.count(), 1 << 30));
    }
    pollfd one{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&one, 1, wait);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

std::string pack(const Executor::Program& program) {
  Writer out;
  out.number<std::uint64_t>(program.command.size());
  for (const std::string& word : program.command) out.text(word);
  out.number<std::uint64_t>(program.files.size());
  for (const auto& [name, content] : program.files) out.text(name), out.text(content);
  out.text(program.input);
  out.number(program.seconds);
  out.number(program.memory_bytes);
  out.number(program.output_bytes);
  return out.take();
}

Executor::Program unpack_program(std::string_view message) {
  Reader in(message);
  Executor::Program program;
  for (auto count = in.number<std::uint64_t>(); count > 0; --count) program.command.push_back(in.text());
  for (auto count = in.number<std::uint64_t>(); count > 0; --count) {
    std::string name = in.text();
    program.files.emplace_back(std::move(name), in.text());
  }
  program.input = in.text();
  program.seconds = in.number<double>();
  program.memory_bytes = in.number<std::int64_t>();
  program.output_bytes = in.number<std::int64_t>();
  return program;
}

std::string pack(const Executor::Outcome& outcome) {
  Writer out;
  out.number(static_cast<std::int64_t>(outcome.end));
  out.number<std::int64_t>(outcome.code);
  out.text(outcome.output);
  out.text(outcome.errors);
  out.number(outcome.seconds);
  return out.take();
}

Executor::Outcome unpack_outcome(std::string_view message) {
  Reader in(message);
  Executor::Outcome outcome;
  outcome.end = static_cast<Executor::Outcome::End>(in.number<std::int64_t>());
  outcome.code = static_cast<int>(in.number<std::int64_t>());
  outcome.output = in.text();
  outcome.errors = in.text();
  outcome.seconds = in.number<double>();
  return outcome;
}

bool send_message(int socket, std::string_view message) {
  const std::uint64_t length = message.size();
  std::string framed(reinterpret_cast<const char*>(&length), sizeof length);
  framed += message;
  std::string_view rest = framed;
  while (!rest.empty()) {
    const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<std::string> receive_message(int socket, double seconds) {
  const bool limited = seconds >= 0;
  const auto until = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(limited ? static_cast<std::int64_t>(seconds * 1000) : 0);
  std::string received;
  std::uint64_t length = 0;
  std::array<char, 1 << 16> chunk;
  while (received.size() < sizeof length || received.size() - sizeof length < length) {
    if (!wait_for(socket, POLLIN, until, limited)) return std::nullopt;
    const std::size_t missing =
        received.size() < sizeof length ? sizeof length - received.size() : sizeof length + length - received.size();
    const ssize_t count = ::recv(socket, chunk.data(), std::min(chunk.size(), missing), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    received.append(chunk.data(), static_cast<std::size_t>(count));
    if (received.size() == sizeof length) std::memcpy(&length, received.data(), sizeof length);
  }
  received.erase(0, sizeof length);
  return received;
}

namespace {
constexpr std::size_t most_descriptors = 4;
}

bool send_descriptors(int socket, std::string_view text, std::initializer_list<int> descriptors) {
  HONE_ASSERT(descriptors.size() <= most_descriptors);
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptors.size() > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::memcpy(CMSG_DATA(header), descriptors.begin(), sizeof(int) * descriptors.size());
  }
  for (;;) {
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::optional<Packet> receive_packet(int socket) {
  Packet packet;
  packet.text.resize(4096);
  iovec part{.iov_base = packet.text.data(), .iov_len = packet.text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * most_descriptors)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = -1;
  do {
    count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return std::nullopt;
  packet.text.resize(static_cast<std::size_t>(count));
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    packet.descriptors.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(packet.descriptors.data(), CMSG_DATA(header), packet.descriptors.size() * sizeof(int));
  }
  return packet;
}

}  // namespace hone::sandbox
