#include "predict/pooling.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone {
namespace {

struct Tokens {
  std::span<const float> hidden_TH;
  std::size_t dimension = 0;
  std::size_t first = 0;  ///< token that counts
  std::size_t count() const { return hidden_TH.size() / dimension; }
  std::span<const float> row(std::size_t token) const { return hidden_TH.subspan(token * dimension, dimension); }
};

std::vector<float> weighted_sum(const Tokens& tokens, bool by_place, double divisor) {
  std::vector<double> sum(tokens.dimension, 0);
  for (std::size_t token = tokens.first; token < tokens.count(); ++token) {
    const double weight = by_place ? static_cast<double>(token + 1) : 1.0;
    const std::span<const float> row = tokens.row(token);
    for (std::size_t i = 0; i < row.size(); ++i) sum[i] += weight * row[i];
  }
  std::vector<float> result;
  for (const double value : sum) result.push_back(static_cast<float>(value / divisor));
  return result;
}

std::vector<float> greatest_by_dimension(const Tokens& tokens) {
  const std::span<const float> first = tokens.row(tokens.first);
  std::vector<float> result(first.begin(), first.end());
  for (std::size_t token = tokens.first + 1; token < tokens.count(); ++token) {
    const std::span<const float> row = tokens.row(token);
    for (std::size_t i = 0; i < row.size(); ++i) result[i] = std::max(result[i], row[i]);
  }
  return result;
}

std::vector<float> pool_one(PoolingMode mode, const Tokens& tokens) {
  const auto counted = static_cast<double>(tokens.count() - tokens.first);
  const auto copy = [](std::span<const float> row) { return std::vector<float>(row.begin(), row.end()); };
  switch (mode) {
    case PoolingMode::cls: return copy(tokens.row(tokens.first));
    case PoolingMode::max: return greatest_by_dimension(tokens);
    case PoolingMode::mean: return weighted_sum(tokens, false, counted);
    case PoolingMode::mean_sqrt_len_tokens: return weighted_sum(tokens, false, std::sqrt(counted));
    case PoolingMode::weightedmean: {
      const auto places = static_cast<double>(tokens.count()), left_out = static_cast<double>(tokens.first);
      return weighted_sum(tokens, true, (places * (places + 1) - left_out * (left_out + 1)) / 2);
    }
    case PoolingMode::lasttoken: break;
  }
  return copy(tokens.row(tokens.count() - 1));
}

}  // namespace

std::vector<float> pool(const PoolingPlan& plan, std::span<const float> hidden_TH, std::size_t dimension,
                        std::size_t prompt_tokens) {
  const bool fits = dimension > 0 && hidden_TH.size() % dimension == 0;
  if (!fits || (plan.dimension && static_cast<std::size_t>(*plan.dimension) != dimension)) {
    fail(ErrorKind::data, "{} numbers in hidden states of {} dimensions; the pooling expects {}", hidden_TH.size(),
         dimension, plan.dimension.value_or(static_cast<std::int64_t>(dimension)));
  }
  const Tokens tokens{hidden_TH, dimension, plan.include_prompt ? 0 : prompt_tokens};
  if (tokens.first >= tokens.count()) fail(ErrorKind::data, "no tokens to pool: the text has {}", tokens.count());
  std::vector<float> vector;
  for (const PoolingMode mode : plan.modes) {
    const std::vector<float> part = pool_one(mode, tokens);
    vector.insert(vector.end(), part.begin(), part.end());
  }
  if (plan.normalize) normalize(vector);
  return vector;
}

void normalize(std::span<float> vector) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  const double length = std::max(std::sqrt(square), 1e-12);
  for (float& value : vector) value = static_cast<float>(value / length);
}

float cosine_similarity(std::span<const float> a, std::span<const float> b) {
  HONE_ASSERT(a.size() == b.size());
  double product = 0, square_a = 0, square_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    square_a += static_cast<double>(a[i]) * a[i];
    square_b += static_cast<double>(b[i]) * b[i];
  }
  return static_cast<float>(product / (std::max(std::sqrt(square_a), 1e-12) * std::max(std::sqrt(square_b), 1e-12)));
}

Json rows_to_json(std::span<const float> rows, std::size_t columns) {
  HONE_ASSERT(columns > 0 && rows.size() % columns == 0);
  Json list = Json::array();
  for (std::size_t begin = 0; begin < rows.size(); begin += columns) {
    Json row = Json::array();
    for (const float value : rows.subspan(begin, columns)) row.push_back(static_cast<double>(value));
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace hone
