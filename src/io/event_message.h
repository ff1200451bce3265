#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The messages of TensorBoard's event files as protobuf bytes. Field numbers: tensorboard/compat/proto/event.proto,
/// summary.proto, histogram.proto and tensor.proto. Text that is not UTF-8 is repaired, as protobuf demands it.
namespace hone {

/// How values spread: `counts[i]` of them are in (limits[i-1], limits[i]], the first bucket starting at `min`, the last
/// ending at `max`.
struct Histogram {
  double min = 0;
  double max = 0;
  double num = 0;
  double sum = 0;
  double sum_squares = 0;
  std::vector<double> limits;
  std::vector<double> counts;
};

/// Thirty buckets of equal width, as TensorBoard's own summary writer makes; one when all values are equal. Values that
/// are not finite are left out; num is 0 when none is left.
Histogram histogram_of(std::span<const float> values);

/// What one event says of one step.
class EventSummary {
 public:
  /// Kept as float32, which is all that TensorBoard shows; NaN and infinity are kept too.
  void scalar(std::string_view tag, double value);
  void histogram(std::string_view tag, const Histogram& histogram);
  /// TensorBoard reads it as Markdown.
  void text(std::string_view tag, std::string_view markdown);
  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }

 private:
  void add(std::string_view tag, std::string_view rest);
  std::string bytes_;
};

/// wall_time: seconds since 1970.
std::string summary_event(double wall_time, std::int64_t step, const EventSummary& summary);
/// The first event of every file.
std::string version_event(double wall_time);
/// A session that starts at `step`: readers drop what they hold of it and of later ones.
std::string session_start_event(double wall_time, std::int64_t step);

}  // namespace hone
