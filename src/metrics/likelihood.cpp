#include "metrics/likelihood.h"

#include <cmath>
#include <numbers>

namespace hone {

Likelihood& Likelihood::operator+=(const Likelihood& other) {
  negative_log += other.negative_log;
  tokens += other.tokens;
  bytes += other.bytes;
  return *this;
}

double Likelihood::loss() const { return tokens > 0 ? negative_log / static_cast<double>(tokens) : 0; }

double Likelihood::perplexity() const { return tokens > 0 ? std::exp(loss()) : 0; }

double Likelihood::bits_per_byte() const {
  return bytes > 0 ? negative_log / std::numbers::ln2 / static_cast<double>(bytes) : 0;
}

}  // namespace hone
