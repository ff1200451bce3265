#include "plugin/http/address.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"

namespace hone {

namespace {

AddressKind kind_of_v4(std::span<const unsigned char> bytes) {
  const std::uint32_t address = std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
                                std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
  struct Network {
    std::uint32_t prefix;
    int bits;
    AddressKind kind;
  };
  // RFC 6890 and its successors in IANA's registry of special-purpose addresses.
  constexpr std::array<Network, 14> networks{{
      {0x00000000, 8, AddressKind::loopback},     // this network
      {0x7F000000, 8, AddressKind::loopback},     //
      {0xA9FE0000, 16, AddressKind::link_local},  // 169.254
      {0x0A000000, 8, AddressKind::internal},     // 10
      {0xAC100000, 12, AddressKind::internal},    // 172.16
      {0xC0A80000, 16, AddressKind::internal},    // 192.168
      {0x64400000, 10, AddressKind::internal},    // 100.64, shared by providers
      {0xC0000000, 24, AddressKind::internal},    // 192.0.0, protocol assignments
      {0xC0000200, 24, AddressKind::internal},    // documents
      {0xC6120000, 15, AddressKind::internal},    // 198.18, benchmarks
      {0xC6336400, 24, AddressKind::internal},    // documents
      {0xCB007100, 24, AddressKind::internal},    // documents
      {0xE0000000, 4, AddressKind::not_a_host},   // multicast
      {0xF0000000, 4, AddressKind::not_a_host},   // reserved, broadcast
  }};
  for (const Network& network : networks) {
    if ((address ^ network.prefix) >> (32 - network.bits) == 0) return network.kind;
  }
  return AddressKind::global;
}

AddressKind kind_of_v6(std::span<const unsigned char> bytes) {
  const auto starts_with = [&](std::initializer_list<unsigned char> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
  };
  const bool zeros = std::all_of(bytes.begin(), bytes.begin() + 10, [](unsigned char byte) { return byte == 0; });
  if (zeros && bytes[10] == 0xFF && bytes[11] == 0xFF) return kind_of_v4(bytes.subspan(12));  // ::ffff:0:0/96
  if (zeros && bytes[10] == 0 && bytes[11] == 0) {
    const bool small = bytes[12] == 0 && bytes[13] == 0 && bytes[14] == 0 && bytes[15] <= 1;
    return small ? AddressKind::loopback : kind_of_v4(bytes.subspan(12));  // ::, ::1, and the old compatible form
  }
  if (starts_with({0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return kind_of_v4(bytes.subspan(12));  // NAT64
  if (starts_with({0x00, 0x64, 0xFF, 0x9B, 0, 1})) return AddressKind::internal;                // local NAT64
  if (starts_with({0x20, 0x02})) return kind_of_v4(bytes.subspan(2, 4));                        // 6to4
  if (starts_with({0x20, 0x01, 0x0D, 0xB8})) return AddressKind::internal;                      // documents
  if (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) return AddressKind::link_local;            // fe80::/10
  if (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0xC0) return AddressKind::internal;              // fec0::/10, site-local
  if ((bytes[0] & 0xFE) == 0xFC) return AddressKind::internal;                                  // fc00::/7
  if (bytes[0] == 0xFF) return AddressKind::not_a_host;
  return AddressKind::global;
}

}  // namespace

AddressKind address_kind(std::span<const unsigned char> bytes) {
  HONE_ASSERT(bytes.size() == 4 || bytes.size() == 16);
  return bytes.size() == 4 ? kind_of_v4(bytes) : kind_of_v6(bytes);
}

std::string_view address_kind_name(AddressKind kind) {
  switch (kind) {
    case AddressKind::global: return "a public address";
    case AddressKind::loopback: return "this machine";
    case AddressKind::internal: return "an address of a private network";
    case AddressKind::link_local: return "a link-local address";
    case AddressKind::not_a_host: return "no address of a single host";
  }
  return "";
}

}  // namespace hone
