#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/random.h"
#include "data/dataset.h"

namespace hone {

namespace {

/// Training rows of each part: shares of `total`, the largest remainders rounded up so that they add up to it.
std::vector<std::size_t> shares_of(std::size_t total, const std::vector<double>& weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::size_t> counts;
  std::vector<std::pair<double, std::size_t>> remainders;
  std::size_t given = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double exact = static_cast<double>(total) * weights[i] / sum;
    counts.push_back(static_cast<std::size_t>(exact));
    given += counts.back();
    remainders.emplace_back(std::floor(exact) - exact, i);
  }
  std::sort(remainders.begin(), remainders.end());
  for (std::size_t i = 0; given < total; ++given) ++counts[remainders[i++ % remainders.size()].second];
  return counts;
}

}  // namespace

Dataset Dataset::mix(std::string name, const MixtureConfig& config,
                     std::span<const std::shared_ptr<const Dataset>> parts, std::uint64_t seed) {
  HONE_ASSERT(!parts.empty() && parts.size() == config.weights.size());
  Dataset mixed;
  mixed.name_ = std::move(name);
  mixed.shape_ = parts[0]->shape_;
  mixed.prompt_words_ = parts[0]->prompt_words_;
  std::vector<double> weights;
  std::size_t total = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Dataset& part = *parts[i];
    if (part.shape_ != mixed.shape_ || part.prompt_words_ != mixed.prompt_words_) {
      fail(ErrorKind::config,
           "data.{}.mixture: data.{} has rows of {} and data.{} rows of {}; expected the same shape and `prompt_words`",
           mixed.name_, parts[0]->name_, parts[0]->shape_name(), part.name_, part.shape_name());
    }
    const auto rows = part.rows(Split::train);
    total += rows.size();
    const double scale =
        config.temperature > 0 ? std::pow(static_cast<double>(rows.size()), 1 / config.temperature) : 1;
    weights.push_back(config.weights[i].second * scale);
  }
  const std::vector<std::size_t> counts =
      shares_of(config.rows ? static_cast<std::size_t>(*config.rows) : total, weights);
  const std::uint64_t key = stream_key(stream_key(seed, mixed.name_), "mixture");
  std::string shares;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto rows = parts[i]->rows(Split::train);
    Random random(key, i);
    std::vector<std::size_t> order(rows.size());
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t n = 0; n < counts[i]; ++n) {
      if (n % rows.size() == 0) random.shuffle(order);
      mixed.train_.rows.push_back(rows[order[n % rows.size()]]);
      mixed.train_.row_source.push_back(static_cast<std::uint32_t>(i));
    }
    for (const DataRow& row : parts[i]->held_out_.rows) {
      mixed.held_out_.rows.push_back(row);
      mixed.held_out_.row_source.push_back(static_cast<std::uint32_t>(i));
    }
    mixed.alterations_.push_back(parts[i]->alterations_[0]);
    mixed.train_.sources.push_back(parts[i]->train_.source);
    mixed.held_out_.sources.push_back(parts[i]->held_out_.source);
    mixed.rows_read_ += parts[i]->rows_read_;
    shares += fmt::format("{}{} of {}", i == 0 ? "" : ", ", format_count(static_cast<std::int64_t>(counts[i])),
                          parts[i]->name_);
  }
  mixed.train_.source = "the mixture";
  if (!mixed.held_out_.rows.empty()) mixed.held_out_.source = "the mixture";
  log_info("data.{}: training rows: {}", mixed.name_, shares);
  return mixed;
}

Dataset load_dataset(const std::string& name, const std::map<std::string, DataConfig>& entries, std::uint64_t seed,
                     const Tokenizer* tokenizer) {
  const DataConfig& config = entries.at(name);
  if (config.mixture.weights.empty()) return Dataset::load(name, config, seed, tokenizer);
  std::vector<std::shared_ptr<const Dataset>> parts;
  for (const auto& [part, weight] : config.mixture.weights) {
    const auto found = entries.find(part);
    if (found == entries.end() || !found->second.mixture.weights.empty()) {
      std::vector<std::string> known;
      for (const auto& [other, entry] : entries) {
        if (entry.mixture.weights.empty()) known.push_back(other);
      }
      fail(ErrorKind::config, "data.{}.mixture: '{}' is no entry of `data:` with a file of its own{}", name, part,
           suggestion(part, known));
    }
    parts.push_back(std::make_shared<const Dataset>(Dataset::load(part, found->second, seed, tokenizer)));
  }
  return Dataset::mix(name, config.mixture, parts, seed);
}

}  // namespace hone
