#include "report/tensorboard.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "report/progress.h"
#include "report/samples.h"

namespace hone {

namespace {

constexpr int most_samples = 8;            // of one step and split
constexpr std::size_t most_shown = 20000;  // code points of one text

/// Raw HTML, which Markdown leaves alone up to the closing tag.
std::string preformatted(std::string_view text) {
  std::string escaped;
  for (const char byte : harmless(valid_utf8(text), 0, most_shown)) {
    switch (byte) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      default: escaped += byte;
    }
  }
  return "<pre>" + escaped + "</pre>\n\n";
}

std::string reward_text(const SampleRow& row) {
  std::string text = row.status == "ok" ? format_metric(row.reward) : row.status;
  if (!row.note.empty()) text += ": " + row.note;
  for (const auto& [part, value] : row.parts) text += fmt::format("\n{} {}", part, format_metric(value));
  return text;
}

}  // namespace

std::string sample_markdown(const SampleRow& row) {
  return "**prompt**\n\n" + preformatted(row.prompt) + "**completion**" + (row.finish == "length" ? " (cut off)" : "") +
         "\n\n" + preformatted(row.completion) + "**reward**\n\n" + preformatted(reward_text(row));
}

void TensorBoard::stage_started(const std::string& stage, std::int64_t first_step) {
  file_.emplace(directory_ / stage, first_step);
  sample_of_ = {};
  samples_ = 0;
}

void TensorBoard::write(const MetricRow& row) {
  HONE_ASSERT(file_);
  EventSummary summary;
  for (const auto& [name, value] : row.values) summary.scalar(name, value);
  if (!summary.empty()) file_->append(row.step, summary);
}

void TensorBoard::distribution(const Distribution& values) {
  HONE_ASSERT(file_);
  const Histogram histogram = histogram_of(values.values);
  if (histogram.num == 0) return;
  EventSummary summary;
  summary.histogram("distribution/" + values.name, histogram);
  file_->append(values.step, summary);
}

void TensorBoard::sample(const SampleRow& row) {
  HONE_ASSERT(file_);
  std::pair of(row.step, row.split);
  samples_ = of == sample_of_ ? samples_ + 1 : 1;
  sample_of_ = std::move(of);
  if (samples_ > most_samples) return;
  EventSummary summary;
  summary.text(fmt::format("samples/{}/{}", row.split, samples_), sample_markdown(row));
  file_->append(row.step, summary);
}

std::optional<FilePosition> TensorBoard::position() {
  if (file_) file_->sync();
  return std::nullopt;
}

}  // namespace hone
