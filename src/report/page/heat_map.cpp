#include "report/page/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "report/page/text.h"

namespace hone::page {

namespace {

constexpr std::size_t most_samples = 4;
constexpr std::size_t most_tokens = 400;  // of one sample
constexpr int shades = 9;                 // of a colour in the style, beside none

std::size_t tokens_shown(const SampleRow& sample) { return std::min(sample.tokens.size(), most_tokens); }

/// From the last recorded step that has advantages: lowest, highest and evenly spaced rewards between them.
std::vector<const SampleRow*> chosen(const std::vector<SampleRow>& recent) {
  std::vector<const SampleRow*> candidates;
  for (const SampleRow& sample : recent) {
    if (sample.advantages.empty() || sample.advantages.size() != sample.tokens.size()) continue;
    if (!candidates.empty() && candidates.back()->step != sample.step) candidates.clear();
    candidates.push_back(&sample);
  }
  std::ranges::stable_sort(candidates, [](const SampleRow* a, const SampleRow* b) {
    return std::isfinite(a->reward) && (!std::isfinite(b->reward) || a->reward < b->reward);
  });
  if (candidates.size() <= most_samples) return candidates;
  std::vector<const SampleRow*> picked;
  for (std::size_t i = 0; i < most_samples; ++i) {
    picked.push_back(candidates[(candidates.size() - 1) * i / (most_samples - 1)]);
  }
  return picked;
}

/// The largest magnitude that is shown, so that it gets the full colour.
double scale_of(const std::vector<const SampleRow*>& samples, std::vector<float> SampleRow::*values) {
  double largest = 0;
  for (const SampleRow* sample : samples) {
    for (std::size_t i = 0; i < std::min(tokens_shown(*sample), (sample->*values).size()); ++i) {
      if (std::isfinite((sample->*values)[i])) largest = std::max(largest, std::abs(double{(sample->*values)[i]}));
    }
  }
  return largest;
}

/// A class of the style: p1 … p9 above 0, n1 … n9 below, none near 0.
std::string shade(double value, double scale) {
  if (!std::isfinite(value)) return " class=\"nan\"";
  const int strength = scale == 0 ? 0 : static_cast<int>(std::lround(std::abs(value) / scale * shades));
  return strength == 0 ? "" : fmt::format(" class=\"{}{}\"", value > 0 ? 'p' : 'n', std::min(strength, shades));
}

/// Line ends become visible and stay; an empty token gets a width.
std::string token_text(const std::string& token) {
  if (token.empty()) return "∅";
  std::string text;
  for (const char c : token) text += c == '\n' ? "↵\n" : std::string(1, c);
  return escaped(text);
}

std::string tokens_html(const SampleRow& sample, const std::vector<float>& values, double scale,
                        std::string_view kind) {
  std::string out = fmt::format("<div class=\"tokens {}\">", kind);
  for (std::size_t i = 0; i < std::min(tokens_shown(sample), values.size()); ++i) {
    out += fmt::format("<span{} title=\"{:.7g}\">{}</span>", shade(values[i], scale), values[i],
                       token_text(sample.tokens[i]));
  }
  if (sample.tokens.size() > most_tokens) {
    out += fmt::format("<span class=\"dim\"> {} more</span>",
                       format_count(static_cast<std::int64_t>(sample.tokens.size() - most_tokens)));
  }
  return out + "</div>";
}

std::string scales_html(double advantage, double surprise) {
  return fmt::format(
      "<div class=\"scales\"><div><div class=\"label\">Advantage</div><div class=\"scale "
      "advantage\"><span>{}</span><i></i>"
      "<span>0</span><i></i><span>+{}</span></div></div><div><div class=\"label\">Log-probability</div>"
      "<div class=\"scale logprob\"><span>0</span><i></i><span>{}</span></div></div></div>\n",
      figure(-advantage), figure(advantage), figure(-surprise));
}

}  // namespace

std::string heat_maps_html(const StageRecord& stage) {
  const std::vector<const SampleRow*> samples = chosen(stage.recent);
  if (samples.empty()) return "";
  const double advantage = scale_of(samples, &SampleRow::advantages);
  const double surprise = scale_of(samples, &SampleRow::logprobs);
  std::string out = fmt::format(
      "<h3>Token by token</h3>\n<p class=\"dim\">Train samples of step {}. Point at a token for its figure.</p>\n",
      format_count(samples.front()->step));
  out += scales_html(advantage, surprise);
  for (const SampleRow* sample : samples) {
    out += fmt::format(
        "<article class=\"card\"><div class=\"label\">Prompt <span class=\"dim\">reward {}</span></div>"
        "<pre class=\"text\" dir=\"auto\">{}</pre>"
        "<div class=\"pair\"><div><div class=\"label\">Advantage</div>{}</div>",
        figure(sample->reward), escaped_part(sample->prompt, 600),
        tokens_html(*sample, sample->advantages, advantage, "advantage"));
    if (!sample->logprobs.empty()) {
      out += fmt::format("<div><div class=\"label\">Log-probability</div>{}</div>",
                         tokens_html(*sample, sample->logprobs, surprise, "logprob"));
    }
    out += "</div></article>\n";
  }
  return out;
}

}  // namespace hone::page
