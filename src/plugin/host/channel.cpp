#include "plugin/host/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace hone {

namespace {

FileDescriptor moved(int descriptor) {
  constexpr int above_the_usual = 10;
  FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, above_the_usual));
  if (copy.get() < 0) {
    fail(ErrorKind::usage, "descriptor {} cannot be used: {}; hone starts this program itself", descriptor,
         std::strerror(errno));
  }
  return copy;
}

FileDescriptor reply_descriptor() {
  const char* kind = std::getenv("HONE_REPLY");
  if (kind != nullptr && std::string_view(kind) == "stdout") {
    FileDescriptor replies = moved(STDOUT_FILENO);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    return replies;
  }
  const char* name = std::getenv("HONE_REPLY_FD");
  const std::string_view digits = name == nullptr ? "" : name;
  int descriptor = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), descriptor);
  if (error != std::errc() || end != digits.data() + digits.size() || descriptor < 0) {
    fail(ErrorKind::usage, "expected a descriptor in HONE_REPLY_FD, or HONE_REPLY=stdout; got HONE_REPLY_FD=\"{}\"",
         digits);
  }
  FileDescriptor replies = moved(descriptor);
  ::close(descriptor);
  return replies;
}

}  // namespace

Channel::Channel() : requests_(moved(STDIN_FILENO)), replies_(reply_descriptor()) {
  const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (nothing.get() >= 0) ::dup2(nothing.get(), STDIN_FILENO);
}

std::optional<std::string> Channel::next_line() {
  while (true) {
    if (const std::size_t end = pending_.find('\n', looked_at_); end != pending_.npos) {
      std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      looked_at_ = 0;
      return line;
    }
    looked_at_ = pending_.size();
    char bytes[1 << 16];
    const ssize_t got = ::read(requests_.get(), bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    pending_.append(bytes, static_cast<std::size_t>(got));
  }
}

bool Channel::closed() const {
  pollfd requests{.fd = requests_.get(), .events = 0, .revents = 0};
  return ::poll(&requests, 1, 0) == 1 && (requests.revents & (POLLHUP | POLLERR)) != 0;
}

void Channel::send(const Json& message) {
  const std::string line = message.dump() + "\n";
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t wrote = ::write(replies_.get(), line.data() + sent, line.size() - sent);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return;
    sent += static_cast<std::size_t>(wrote);
  }
}

}  // namespace hone
