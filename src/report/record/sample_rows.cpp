#include <algorithm>
#include <limits>

#include "report/record/read_rows.h"

namespace hone {

namespace {

constexpr std::int64_t recent_steps = 4;     // train samples of so many recorded steps are kept
constexpr std::size_t most_of_a_step = 256;  // samples of one step and split
constexpr std::size_t most_recent = 512;

std::string text_of(const Json& row, std::string_view key) {
  const Json* value = row.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : "";
}

double number_of(const Json* value) {
  return value != nullptr && value->is_number() ? value->as_number() : std::numeric_limits<double>::quiet_NaN();
}

std::vector<float> numbers_of(const Json& row, std::string_view key) {
  std::vector<float> numbers;
  const Json* values = row.find(key);
  if (values == nullptr || !values->is_array()) return numbers;
  for (const Json& value : values->as_array()) numbers.push_back(static_cast<float>(number_of(&value)));
  return numbers;
}

SampleRow sample_of(const Json& row) {
  SampleRow sample;
  sample.stage = row.at("stage").as_string();
  sample.step = row.at("step").as_integer();
  sample.split = row.at("split").as_string();
  sample.prompt = text_of(row, "prompt");
  sample.completion = text_of(row, "completion");
  sample.finish = text_of(row, "finish");
  sample.status = text_of(row, "status");
  sample.note = text_of(row, "note");
  sample.reward = number_of(row.find("reward"));
  if (const Json* parts = row.find("parts"); parts != nullptr && parts->is_object()) {
    for (const auto& [name, value] : parts->as_object()) sample.parts.emplace_back(name, number_of(&value));
  }
  if (const Json* tokens = row.find("tokens"); tokens != nullptr && tokens->is_array()) {
    for (const Json& token : tokens->as_array()) sample.tokens.push_back(token.is_string() ? token.as_string() : "");
  }
  sample.logprobs = numbers_of(row, "logprobs");
  sample.advantages = numbers_of(row, "advantages");
  return sample;
}

std::int64_t steps_in(const std::vector<SampleRow>& samples) {
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) steps += i == 0 || samples[i].step != samples[i - 1].step;
  return steps;
}

void keep_train(std::vector<SampleRow>& recent, SampleRow sample) {
  std::erase_if(recent, [&](const SampleRow& other) { return other.step > sample.step; });
  const auto same_step = std::ranges::count(recent, sample.step, &SampleRow::step);
  if (static_cast<std::size_t>(same_step) >= most_of_a_step) return;
  recent.push_back(std::move(sample));
  while (steps_in(recent) > recent_steps || recent.size() > most_recent) {
    std::erase_if(recent, [oldest = recent.front().step](const SampleRow& other) { return other.step == oldest; });
  }
}

void keep_held_out(StageRecord& stage, SampleRow sample) {
  std::vector<SampleRow>& first = stage.first_held_out;
  if (first.empty() || sample.step <= first.front().step) {
    if (!first.empty() && sample.step < first.front().step) first.clear();
    if (first.size() < most_of_a_step) first.push_back(std::move(sample));
    return;
  }
  std::vector<SampleRow>& last = stage.last_held_out;
  if (!last.empty() && last.front().step != sample.step) last.clear();
  if (last.size() < most_of_a_step) last.push_back(std::move(sample));
}

}  // namespace

void read_sample_rows(const std::filesystem::path& path, RunRecord& run) {
  for_each_row(path, run.notes, [&run](const Json& row) {
    SampleRow sample = sample_of(row);
    StageRecord& stage = stage_of(run.stages, sample.stage);
    if (sample.split == "held_out") {
      keep_held_out(stage, std::move(sample));
    } else {
      keep_train(stage.recent, std::move(sample));
    }
  });
}

}  // namespace hone
