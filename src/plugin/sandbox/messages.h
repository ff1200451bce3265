#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "flow/services.h"

/// What goes between hone and the launcher of sandboxes. Lengths and numbers are eight bytes of this machine: both ends
/// are the same build.
namespace hone::sandbox {

std::string pack(const Executor::Program& program);
std::string pack(const Executor::Outcome& outcome);
/// Error{internal} when the message is not one that pack made.
Executor::Program unpack_program(std::string_view message);
Executor::Outcome unpack_outcome(std::string_view message);

/// Length and bytes on a stream socket. False when the other side is gone; never raises SIGPIPE.
bool send_message(int socket, std::string_view message);
/// Nothing when the other side is gone or `seconds` have passed (< 0: no limit).
std::optional<std::string> receive_message(int socket, double seconds);

/// One packet that carries descriptors, and a packet's text with the descriptors that came with it (owned by the
/// caller, close-on-exec). False and nothing when the other side is gone.
bool send_descriptors(int socket, std::string_view text, std::initializer_list<int> descriptors);
struct Packet {
  std::string text;
  std::vector<int> descriptors;
};
std::optional<Packet> receive_packet(int socket);

}  // namespace hone::sandbox
