#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

/// An http or https address, split. IPv6 hosts are kept without brackets; a fragment is dropped.
struct Url {
  bool tls = false;
  std::string host;  ///< lower case
  std::uint16_t port = 0;
  std::string target = "/";  ///< path and query, as they go on the request line

  std::string scheme() const { return tls ? "https" : "http"; }
  /// What the Host header says: the port only when it is not the scheme's own.
  std::string authority() const;
  std::string text() const { return scheme() + "://" + authority() + target; }
  bool same_place(const Url& other) const { return tls == other.tls && host == other.host && port == other.port; }
};

/// Error{config} that quotes the text when it is no such address, holds a user name, or a character that would end a
/// request line.
Url parse_url(std::string_view text);

/// Where a reply from `base` with this Location leads. Error{config} for another scheme (file:, and http from https).
Url redirected(const Url& base, std::string_view location);

}  // namespace hone
