#include "io/event_message.h"

#include "base/utf8.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <limits>

namespace hone {

namespace {

constexpr std::size_t most_buckets = 30;

enum WireType : std::uint64_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

template <std::unsigned_integral Word>
void put_little_endian(std::string& out, Word word) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) out += static_cast<char>(word >> (8 * i));
}

void put_key(std::string& out, std::uint64_t field, WireType type) { put_varint(out, field << 3 | type); }

void put_integer(std::string& out, std::uint64_t field, std::int64_t value) {
  put_key(out, field, varint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

void put_double(std::string& out, std::uint64_t field, double value) {
  put_key(out, field, fixed64);
  put_little_endian(out, std::bit_cast<std::uint64_t>(value));
}

void put_float(std::string& out, std::uint64_t field, float value) {
  put_key(out, field, fixed32);
  put_little_endian(out, std::bit_cast<std::uint32_t>(value));
}

/// A string, bytes or a message.
void put_bytes(std::string& out, std::uint64_t field, std::string_view bytes) {
  put_key(out, field, length_delimited);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_packed(std::string& out, std::uint64_t field, std::span<const double> values) {
  std::string packed;
  for (const double value : values) put_little_endian(packed, std::bit_cast<std::uint64_t>(value));
  put_bytes(out, field, packed);
}

/// Rounds; beyond the range of float32 it is infinite.
float to_float(double value) {
  if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) {
    return std::copysign(std::numeric_limits<float>::infinity(), value < 0 ? -1.0F : 1.0F);
  }
  return static_cast<float>(value);
}

std::string event(double wall_time, std::int64_t step) {
  std::string out;
  put_double(out, 1, wall_time);
  put_integer(out, 2, step);
  return out;
}

}  // namespace

Histogram histogram_of(std::span<const float> values) {
  Histogram result;
  std::vector<double> finite;
  for (const float value : values) {
    if (std::isfinite(value)) finite.push_back(value);
  }
  if (finite.empty()) return result;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  result.min = *least;
  result.max = *most;
  result.num = static_cast<double>(finite.size());
  const std::size_t buckets = result.min == result.max ? 1 : most_buckets;
  const double width = (result.max - result.min) / static_cast<double>(buckets);
  for (std::size_t i = 1; i < buckets; ++i) result.limits.push_back(result.min + width * static_cast<double>(i));
  result.limits.push_back(result.max);
  result.counts.resize(buckets);
  for (const double value : finite) {
    result.sum += value;
    result.sum_squares += value * value;
    const auto bucket = std::lower_bound(result.limits.begin(), result.limits.end(), value) - result.limits.begin();
    result.counts[static_cast<std::size_t>(bucket)] += 1;
  }
  return result;
}

/// Summary.value: one Summary.Value with its tag.
void EventSummary::add(std::string_view tag, std::string_view rest) {
  std::string value;
  put_bytes(value, 1, valid_utf8(tag));
  value += rest;
  put_bytes(bytes_, 1, value);
}

void EventSummary::scalar(std::string_view tag, double value) {
  std::string rest;
  put_float(rest, 2, to_float(value));
  add(tag, rest);
}

void EventSummary::histogram(std::string_view tag, const Histogram& histogram) {
  std::string message;
  put_double(message, 1, histogram.min);
  put_double(message, 2, histogram.max);
  put_double(message, 3, histogram.num);
  put_double(message, 4, histogram.sum);
  put_double(message, 5, histogram.sum_squares);
  put_packed(message, 6, histogram.limits);
  put_packed(message, 7, histogram.counts);
  std::string rest;
  put_bytes(rest, 5, message);
  add(tag, rest);
}

void EventSummary::text(std::string_view tag, std::string_view markdown) {
  constexpr std::int64_t string_type = 7;  // DT_STRING
  std::string tensor;
  put_integer(tensor, 1, string_type);
  put_bytes(tensor, 2, "");  // the shape of a scalar
  put_bytes(tensor, 8, valid_utf8(markdown));
  std::string plugin;
  put_bytes(plugin, 1, "text");
  std::string metadata;
  put_bytes(metadata, 1, plugin);
  std::string rest;
  put_bytes(rest, 8, tensor);
  put_bytes(rest, 9, metadata);
  add(tag, rest);
}

std::string summary_event(double wall_time, std::int64_t step, const EventSummary& summary) {
  std::string out = event(wall_time, step);
  put_bytes(out, 5, summary.bytes());
  return out;
}

std::string version_event(double wall_time) {
  std::string out = event(wall_time, 0);
  put_bytes(out, 3, "brain.Event:2");
  return out;
}

std::string session_start_event(double wall_time, std::int64_t step) {
  constexpr std::int64_t start = 1;
  std::string log;
  put_integer(log, 1, start);
  std::string out = event(wall_time, step);
  put_bytes(out, 7, log);
  return out;
}

}  // namespace hone
