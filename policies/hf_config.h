#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "nn/layers.h"

namespace hone {

/// A config.json that a family reads key by key. Whatever it did not ask for and is not known to leave the numbers alone
/// is refused by name at the end: a newer or different model never gives wrong numbers.
class HfConfig {
 public:
  /// `config` must outlive this.
  explicit HfConfig(const Json& config) : config_(config) {}

  /// There, and null.
  bool is_null(std::string_view key) const;
  /// Null and absent are the same: nullptr.
  const Json* find(std::string_view key);
  std::int64_t positive(std::string_view key);  ///< Error{data} unless it is there and at least 1
  std::int64_t positive_or(std::string_view key, std::int64_t otherwise);
  std::int64_t integer_or(std::string_view key, std::int64_t otherwise);
  double number_or(std::string_view key, double otherwise);
  bool bool_or(std::string_view key, bool otherwise);
  std::string string_or(std::string_view key, std::string_view otherwise);
  /// silu, gelu, gelu_new, gelu_pytorch_tanh, relu …; Error{data} for others.
  kernels::Activation activation_or(std::string_view key, std::string_view otherwise);

  /// The key must be absent, null or have this value.
  void expect(std::string_view key, const Json& value);
  /// Keys that do not change what this family computes.
  void ignore(std::initializer_list<std::string_view> keys);

  /// Error{data} naming every key that nobody read. A null, false, zero or empty value switches nothing on and passes.
  void refuse_unknown() const;

 private:
  const Json& config_;
  std::set<std::string, std::less<>> known_;
};

/// Error{data}: "key is value, which this version cannot honour".
[[noreturn]] void cannot_honour(std::string_view key, const std::string& value);

/// What config.json calls an activation.
std::string hf_activation(kernels::Activation activation);

}  // namespace hone
