#include "io/event_file.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "base/log.h"
#include "support/scratch.h"

#include <doctest/doctest.h>

namespace hone {

using test::contents_of;
using test::Scratch;

namespace {

using namespace std::string_literals;

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

std::uint32_t unmasked(std::uint64_t masked) {
  const auto rotated = static_cast<std::uint32_t>(masked) - 0xA282EAD8U;
  return rotated >> 17 | rotated << 15;
}

/// The messages of a file, both sums checked.
std::vector<std::string> messages(const std::filesystem::path& path) {
  const std::string bytes = contents_of(path);
  std::vector<std::string> found;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string length = bytes.substr(at, 8);
    CHECK(unmasked(number(bytes.substr(at + 8, 4))) == crc32c(length));
    found.push_back(bytes.substr(at + 12, number(length)));
    CHECK(unmasked(number(bytes.substr(at + 12 + found.back().size(), 4))) == crc32c(found.back()));
    at += 16 + found.back().size();
  }
  return found;
}

EventSummary loss(double value) {
  EventSummary summary;
  summary.scalar("loss", value);
  return summary;
}

double wall_time(const std::string& message) {
  double value = 0;
  std::memcpy(&value, message.data() + 1, 8);
  return value;
}

}  // namespace

TEST_CASE("io: crc32c of published vectors") {
  // RFC 3720, appendix B.4.
  std::string ascending(32, '\0');
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<char>(i);
  const std::string descending(ascending.rbegin(), ascending.rend());
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(crc32c(ascending) == 0x46DD794E);
  CHECK(crc32c(descending) == 0x113FDB5C);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c("") == 0);
}

TEST_CASE("io: an event record is length, message and two masked sums") {
  // The empty message: length 0, CRC-32C of eight zeros 0x8C28B28A, of nothing 0.
  CHECK(event_record("") == "\x00\x00\x00\x00\x00\x00\x00\x00\x29\x03\x98\x07\xD8\xEA\x82\xA2"s);
}

TEST_CASE("io: an event file starts with its version and where its session starts") {
  const Scratch scratch;
  EventFile file(scratch.path() / "new" / "run", 6);
  file.append(7, loss(0.5));
  const auto found = messages(file.path());
  REQUIRE(found.size() == 3);
  CHECK(found[0] == version_event(wall_time(found[0])));
  CHECK(found[1] == session_start_event(wall_time(found[1]), 7));
  CHECK(found[2] == summary_event(wall_time(found[2]), 7, loss(0.5)));
  CHECK(wall_time(found[2]) >= wall_time(found[0]));
  const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(wall_time(found[0]) == doctest::Approx(now).epsilon(1e-8));
  CHECK(file.path().filename().string().starts_with("events.out.tfevents."));
}

TEST_CASE("io: an event file from the start voids everything before it") {
  const Scratch scratch;
  const EventFile file(scratch.path(), 0);
  const auto found = messages(file.path());
  CHECK(found.at(1) == session_start_event(wall_time(found[1]), 0));
}

TEST_CASE("io: a new event file is named behind those that are there, though the clock was set back") {
  const Scratch scratch;
  scratch.file("events.out.tfevents.4000000000.host.1.0", "");
  scratch.file("events.out.tfevents.99999999999999999999.host.1.0", "");
  scratch.file("events.out.tfevents.x", "");
  const EventFile first(scratch.path(), 0);
  CHECK(first.path().filename().string().starts_with("events.out.tfevents.4000000001."));
  CHECK(wall_time(messages(first.path()).at(0)) >= 4000000001.0);
  const EventFile second(scratch.path(), 3);
  CHECK(second.path().filename().string().starts_with("events.out.tfevents.4000000002."));
}

TEST_CASE("io: an event file that cannot be made does not stop a run and loses nothing") {
  const Scratch scratch;
  std::string log;
  set_log_printer([&](std::string_view line) { log += std::string(line) + "\n"; });
  const auto directory = scratch.file("run", "in the way") / "tensorboard";
  EventFile file(directory, 0);
  file.append(1, loss(1));
  file.append(2, loss(2));
  file.sync();
  CHECK(log.find("the run goes on without TensorBoard's events") != std::string::npos);
  CHECK(std::count(log.begin(), log.end(), '\n') == 1);
  std::filesystem::remove(directory.parent_path());
  file.append(3, loss(3));
  set_log_printer({});
  CHECK(log.find("made at last") != std::string::npos);
  const auto found = messages(file.path());
  REQUIRE(found.size() == 5);
  CHECK(found[2] == summary_event(wall_time(found[2]), 1, loss(1)));
  CHECK(found[4] == summary_event(wall_time(found[4]), 3, loss(3)));
}

}  // namespace hone
