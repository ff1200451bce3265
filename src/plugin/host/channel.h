#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/json.h"
#include "io/file.h"

namespace hone {

/// The plug-in's end of the protocol of child processes: requests and replies as lines of JSON.
///
/// Both are moved to descriptors of their own, and stdin becomes empty, so that foreign code in this process may read
/// and print what it likes.
class Channel {
 public:
  /// Requests from stdin; replies to the descriptor HONE_REPLY_FD, or to stdout with HONE_REPLY=stdout. Error{usage}
  /// when the variables name no descriptor.
  Channel();

  /// The next request; nothing when there will be no more. One thread at a time.
  std::optional<std::string> next_line();

  /// Whether the other side has gone away. Any thread.
  bool closed() const;

  /// Any thread. A reply that nobody reads any more is lost: stdin has ended then too.
  void send(const Json& message);

 private:
  FileDescriptor requests_;
  FileDescriptor replies_;
  std::string pending_;
  std::size_t looked_at_ = 0;
  std::mutex mutex_;  ///< one line at a time
};

}  // namespace hone
