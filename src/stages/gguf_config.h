#pragma once

#include "base/json.h"
#include "io/gguf.h"

#include <set>
#include <string>
#include <string_view>

namespace hone {

/// A config.json on its way into a GGUF file: what is read is ticked off, and what is left over is refused by name,
/// so that no key which changes the numbers is dropped in silence. A key that is null counts as absent.
class GgufConfig {
 public:
  /// `architecture` is llama.cpp's name; it prefixes the keys that `put` collects.
  GgufConfig(const Json& config, std::string architecture)
      : config_(&config), architecture_(std::move(architecture)) {}

  const std::string& architecture() const { return architecture_; }
  std::string_view model_type() const { return config_->at("model_type").as_string(); }

  /// nullptr when absent.
  const Json* find(std::string_view key);
  /// Error{data} naming the key when it is missing or of another type.
  std::int64_t integer(std::string_view key);
  std::int64_t integer_or(std::string_view key, std::int64_t otherwise);
  double number(std::string_view key);
  double number_or(std::string_view key, double otherwise);
  bool flag_or(std::string_view key, bool otherwise);
  /// Refuses a value other than `expected`; absent is fine.
  void require(std::string_view key, const Json& expected);
  [[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) const;

  /// `key` without the architecture: "block_count" becomes "llama.block_count".
  void put(std::string_view key, GgufValue value);
  void put_count(std::string_view key, std::int64_t value);
  std::vector<std::pair<std::string, GgufValue>>& keys() { return keys_; }

  /// Refuses every key that was not read and could change the model.
  void refuse_the_rest() const;

 private:
  const Json* config_;
  std::string architecture_;
  std::set<std::string, std::less<>> read_;
  std::vector<std::pair<std::string, GgufValue>> keys_;
};

}  // namespace hone
