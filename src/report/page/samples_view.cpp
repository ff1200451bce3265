#include "report/page/samples_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/format.h"
#include "report/page/text.h"

namespace hone::page {

namespace {

constexpr std::size_t most_pairs = 12;         // prompts shown before and after
constexpr std::size_t most_extremes = 5;       // completions on either side
constexpr std::size_t most_characters = 1500;  // of one text
constexpr std::size_t short_text = 80;         // bytes

std::string count_of(std::size_t count) { return format_count(static_cast<std::int64_t>(count)); }

std::string text_html(std::string_view text) {
  if (text.empty()) return "<p class=\"text dim\">(empty)</p>";
  return fmt::format("<pre class=\"text\" dir=\"auto\">{}</pre>", escaped_part(text, most_characters));
}

std::string parts_html(const SampleRow& sample) {
  if (sample.parts.empty() || (sample.parts.size() == 1 && sample.parts[0].second == sample.reward)) return "";
  std::string out;
  for (const auto& [name, value] : sample.parts) {
    out += fmt::format(" <span>{} <b>{}</b></span>", escaped(name), figure(value));
  }
  return out;
}

/// "reward 0.5  fluency -4.2  12 tokens  log-probability -3.1", or why there is no reward.
std::string facts_html(const SampleRow& sample) {
  std::string out = "<p class=\"facts\">";
  if (sample.status != "ok" && !sample.status.empty()) {
    out += fmt::format("<span class=\"bad\">{}: {}</span>", escaped(sample.status), escaped_part(sample.note, 300));
  } else {
    out += fmt::format("<span>reward <b>{}</b></span>{}", figure(sample.reward), parts_html(sample));
  }
  if (!sample.tokens.empty())
    out += fmt::format(" <span>{} {}</span>", count_of(sample.tokens.size()),
                       sample.tokens.size() == 1 ? "token" : "tokens");
  if (!sample.logprobs.empty()) {
    const double sum = std::accumulate(sample.logprobs.begin(), sample.logprobs.end(), 0.0);
    out += fmt::format(" <span>log-probability {}</span>", figure(sum));
  }
  if (sample.finish == "length") out += " <span class=\"bad\">cut off</span>";
  if (sample.finish == "abort") out += " <span class=\"bad\">abandoned</span>";
  return out + "</p>";
}

std::string answer_html(const SampleRow* sample) {
  if (sample == nullptr) return "<div class=\"answer dim\">not recorded</div>";
  return fmt::format("<div class=\"answer\">{}{}</div>", text_html(sample->completion), facts_html(*sample));
}

/// The samples of `last` by those of `first` with the same prompt; each is used once.
std::vector<const SampleRow*> matched(const std::vector<SampleRow>& first, const std::vector<SampleRow>& last) {
  std::map<std::string_view, std::vector<const SampleRow*>> by_prompt;
  for (auto sample = last.rbegin(); sample != last.rend(); ++sample) by_prompt[sample->prompt].push_back(&*sample);
  std::vector<const SampleRow*> matches;
  for (const SampleRow& sample : first) {
    std::vector<const SampleRow*>& candidates = by_prompt[sample.prompt];
    matches.push_back(candidates.empty() ? nullptr : candidates.back());
    if (!candidates.empty()) candidates.pop_back();
  }
  return matches;
}

/// Whether several prompts with their answers fit side by side.
bool are_short(const std::vector<SampleRow>& samples, std::size_t count) {
  return std::all_of(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(count),
                     [](const SampleRow& sample) {
                       return sample.prompt.size() <= short_text && sample.completion.size() <= short_text;
                     });
}

std::string card_html(const SampleRow& sample) {
  return fmt::format(
      "<article class=\"card\"><div class=\"label\">Prompt <span class=\"dim\">step {}</span></div>{}"
      "<div class=\"label\">Completion</div>{}{}</article>\n",
      format_count(sample.step), text_html(sample.prompt), text_html(sample.completion), facts_html(sample));
}

std::string column_html(std::string_view title, const std::vector<const SampleRow*>& samples) {
  std::string out = fmt::format("<div><h4>{}</h4>\n", title);
  for (const SampleRow* sample : samples) out += card_html(*sample);
  return out + "</div>\n";
}

}  // namespace

std::string before_after_html(const StageRecord& stage) {
  const std::vector<SampleRow>& first = stage.first_held_out;
  if (first.empty()) return "";
  const bool two = !stage.last_held_out.empty();
  const std::vector<const SampleRow*> later = matched(first, stage.last_held_out);
  const std::string before = fmt::format("step {}", format_count(first.front().step));
  const std::string after = two ? fmt::format("step {}", format_count(stage.last_held_out.front().step)) : "";
  const std::size_t shown = std::min(first.size(), most_pairs);
  std::string out = two ? fmt::format(
                              "<h3>Before and after</h3>\n<p class=\"dim\">Held-out prompts, answered at {} and at "
                              "{}. ",
                              before, after)
                        : fmt::format("<h3>Held-out answers</h3>\n<p class=\"dim\">Of the evaluation at {}. ", before);
  out += first.size() > shown ? fmt::format("The first {} of {}.</p>\n", shown, first.size()) : "</p>\n";
  out += fmt::format("<div class=\"{}\">\n", are_short(first, shown) ? "cards" : "");
  for (std::size_t i = 0; i < shown; ++i) {
    out += fmt::format(
        "<article class=\"card\"><div class=\"label\">Prompt</div>{}<div class=\"pair\"><div>"
        "<div class=\"label\">{} <span class=\"dim\">{}</span></div>{}</div>",
        text_html(first[i].prompt), two ? "Before" : "Answer", two ? before : "", answer_html(&first[i]));
    if (two) {
      out += fmt::format("<div><div class=\"label\">After <span class=\"dim\">{}</span></div>{}</div>", after,
                         answer_html(later[i]));
    }
    out += "</div></article>\n";
  }
  return out + "</div>\n";
}

std::string extremes_html(const StageRecord& stage) {
  std::vector<const SampleRow*> ranked;
  for (const SampleRow& sample : stage.recent) {
    if ((sample.status == "ok" || sample.status.empty()) && std::isfinite(sample.reward)) ranked.push_back(&sample);
  }
  if (stage.recent.empty()) return "";
  std::ranges::stable_sort(ranked, {}, [](const SampleRow* sample) { return sample->reward; });
  const std::size_t best_count = std::min(most_extremes, (ranked.size() + 1) / 2);
  const std::size_t worst_count = std::min(most_extremes, ranked.size() / 2);
  const std::vector<const SampleRow*> worst(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(worst_count));
  const std::vector<const SampleRow*> best(ranked.rbegin(), ranked.rbegin() + static_cast<std::ptrdiff_t>(best_count));
  std::string out = fmt::format(
      "<h3>Worst and best completions</h3>\n<p class=\"dim\">By reward, among {} train samples of "
      "steps {} to {}",
      count_of(ranked.size()), format_count(stage.recent.front().step), format_count(stage.recent.back().step));
  const std::size_t unranked = stage.recent.size() - ranked.size();
  out += unranked == 0 ? ".</p>\n" : fmt::format("; {} without a reward are not ranked.</p>\n", count_of(unranked));
  if (ranked.empty()) return out;
  return out + "<div class=\"pair\">" + column_html("Worst", worst) + column_html("Best", best) + "</div>\n";
}

}  // namespace hone::page
