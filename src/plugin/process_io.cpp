#include "plugin/process_io.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "base/log.h"
#include "base/stop.h"
#include "base/utf8.h"

namespace hone {

namespace {

constexpr int logged_a_call = 100;               // lines; what is beyond is dropped with a note
constexpr std::size_t logged_bytes = 2000;       // of a line
constexpr std::size_t tail_bytes = 2000;         // of stderr that errors quote
constexpr int signal_check_milliseconds = 100;
constexpr std::size_t unfinished_bytes = 65536;  // of a line of stdout or stderr without an end

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

}  // namespace

ProcessIo::ProcessIo(std::string name, const ProcessSpec& spec, std::int64_t max_line_bytes)
    : name_(std::move(name)), process_(spec), max_line_bytes_(max_line_bytes) {
  replies_.open = spec.separate_replies;
}

void ProcessIo::send(std::string bytes, bool then_close) {
  outgoing_.erase(0, written_);
  outgoing_ += bytes;
  written_ = 0;
  close_when_written_ = then_close;
  lines_logged_ = 0;
}

bool ProcessIo::take_line(Stream& stream, std::string& line) {
  const std::size_t end = stream.bytes.find('\n', stream.looked_at);
  if (end == std::string::npos) {
    stream.looked_at = stream.bytes.size();
    return false;
  }
  line.assign(stream.bytes, 0, end);
  stream.bytes.erase(0, end + 1);
  stream.looked_at = 0;
  return true;
}

void ProcessIo::fill(Stream& stream, int descriptor) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
  if (count > 0) stream.bytes.append(buffer.data(), static_cast<std::size_t>(count));
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) stream.open = false;
}

void ProcessIo::log_lines(Stream& stream, bool from_errors) {
  std::string line;
  while (take_line(stream, line) || stream.bytes.size() > unfinished_bytes || (!stream.open && !stream.bytes.empty())) {
    if (line.empty() && stream.looked_at > 0) {  // the end of the stream, or a line that does not end
      line = std::move(stream.bytes);
      stream.bytes.clear();
      stream.looked_at = 0;
    }
    if (from_errors) {
      tail_ += line + "\n";
      if (tail_.size() > tail_bytes) tail_.erase(0, tail_.size() - tail_bytes);
    }
    if (++lines_logged_ <= logged_a_call) {
      log_info("{}: {}", name_, valid_utf8(std::string_view(line).substr(0, logged_bytes)));
    } else if (lines_logged_ == logged_a_call + 1) {
      log_warn("{}: prints more than {} lines a call; the rest is not shown", name_, logged_a_call);
    }
    line.clear();
  }
}

void ProcessIo::write_some() {
  while (written_ < outgoing_.size()) {
    const ssize_t count = ::write(process_.input(), outgoing_.data() + written_, outgoing_.size() - written_);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {
      process_.close_input();
      break;
    }
    written_ += static_cast<std::size_t>(count);
  }
  outgoing_.clear();
  written_ = 0;
  if (close_when_written_) process_.close_input();
}

void ProcessIo::poll_once(Deadline deadline) {
  const bool separate = process_.replies() >= 0;
  Stream& replies = separate ? replies_ : output_;
  const bool writes = !outgoing_.empty() && process_.input() >= 0;
  std::array<pollfd, 5> watched{{{writes ? process_.input() : -1, POLLOUT, 0},
                                 {replies.open ? (separate ? process_.replies() : process_.output()) : -1, POLLIN, 0},
                                 {separate && output_.open ? process_.output() : -1, POLLIN, 0},
                                 {errors_.open ? process_.errors() : -1, POLLIN, 0},
                                 {ended_ ? -1 : process_.control(), POLLIN, 0}}};
  const int longest = ended_ ? 0 : signal_check_milliseconds;
  const int ready = ::poll(watched.data(), watched.size(), std::min(longest, milliseconds_until(deadline)));
  if (ready <= 0) return;
  if (watched[3].revents != 0) fill(errors_, process_.errors());
  if (watched[2].revents != 0) fill(output_, process_.output());
  if (watched[1].revents != 0) fill(replies, separate ? process_.replies() : process_.output());
  log_lines(errors_, true);
  if (separate) log_lines(output_, false);
  if (watched[4].revents != 0) ended_ = true;  // what it has written before is still in the pipes
  if (watched[0].revents != 0) write_some();
}

ProcessIo::Event ProcessIo::wait(Deadline deadline) {
  Stream& replies = process_.replies() >= 0 ? replies_ : output_;
  bool drained = false;
  while (true) {
    if (take_line(replies, line_)) return Event::line;
    if (static_cast<std::int64_t>(replies.bytes.size()) > max_line_bytes_) return Event::long_line;
    if (!replies.open || drained) {
      if (replies.bytes.empty()) return Event::ended;
      line_ = std::move(replies.bytes);  // a last line without an end
      replies.bytes.clear();
      return Event::line;
    }
    const std::size_t before = replies.bytes.size() + errors_.bytes.size();
    const bool had_ended = ended_;
    poll_once(deadline);
    drained = had_ended && replies.bytes.size() + errors_.bytes.size() == before;
    if (stop_signal() != 0) return Event::stopped;
    if (!ended_ && std::chrono::steady_clock::now() >= deadline) return Event::late;
  }
}

std::string ProcessIo::ending() {
  const std::string how = process_.ending(0.5);
  return (how.empty() ? std::string("closed its replies") : how) + last_lines();
}

std::string ProcessIo::last_lines() const {
  std::string_view tail = tail_;
  while (tail.ends_with('\n')) tail.remove_suffix(1);
  return tail.empty() ? "" : "; its last lines: " + valid_utf8(tail);
}

}  // namespace hone
