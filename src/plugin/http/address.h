#pragma once

#include <span>
#include <string_view>

namespace hone {

/// What an IP address is good for, as far as a request that others can steer is concerned.
enum class AddressKind {
  global,
  loopback,     ///< 127/8, 0/8 (Linux connects it to itself), ::1, ::
  internal,     ///< private and shared networks, and what is reserved for tests and documents
  link_local,   ///< 169.254/16 and fe80::/10: clouds serve a machine's credentials there
  not_a_host,   ///< multicast, broadcast, reserved
};

/// `bytes`: 4 or 16, in network order. IPv6 addresses that carry an IPv4 one (mapped, NAT64, 6to4) are what that is.
AddressKind address_kind(std::span<const unsigned char> bytes);

std::string_view address_kind_name(AddressKind kind);  ///< "a link-local address"

}  // namespace hone
