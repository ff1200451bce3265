#include "stages/gguf_rope.h"

#include "base/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

namespace hone {
namespace {

/// The parameters of one kind of layer, ticked off as they are read.
class Parameters {
 public:
  Parameters(const GgufConfig& config, Json values) : config_(&config), values_(std::move(values)) {}

  std::optional<double> find(std::string_view key) {
    read_.emplace(key);
    const Json* value = values_.find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_number()) config_->refuse(std::string("rope_parameters.").append(key), *value, "a number");
    return value->as_number();
  }
  double number(std::string_view key) {
    const auto value = find(key);
    if (!value) fail(ErrorKind::data, "config.json: rope_parameters.{} is missing", key);
    return *value;
  }
  std::vector<float> list(std::string_view key, std::size_t size) {
    read_.emplace(key);
    const Json* value = values_.find(key);
    if (value == nullptr || !value->is_array() || value->as_array().size() != size) {
      fail(ErrorKind::data, "config.json: rope_parameters.{} must be a list of {} numbers, got {}", key, size,
           value == nullptr ? "nothing" : value->dump());
    }
    std::vector<float> factors;
    for (const Json& factor : value->as_array()) factors.push_back(static_cast<float>(factor.as_number()));
    return factors;
  }
  std::string type() {
    read_.insert({"rope_type", "type"});
    for (const char* key : {"rope_type", "type"}) {
      if (const Json* value = values_.find(key); value != nullptr && value->is_string()) return value->as_string();
    }
    return "default";
  }
  void require(std::string_view key, bool expected) {
    read_.emplace(key);
    const Json* value = values_.find(key);
    if (value != nullptr && !value->is_null() && *value != Json(expected)) {
      config_->refuse(std::string("rope_parameters.").append(key), *value, expected ? "true" : "false");
    }
  }

  void refuse_the_rest() const {
    for (const auto& [key, value] : values_.as_object()) {
      if (!value.is_null() && read_.count(key) == 0) {
        config_->refuse("rope_parameters." + key, value, "no such key for rope_type " + rope_type_text());
      }
    }
  }

 private:
  std::string rope_type_text() const {
    const Json* value = values_.find("rope_type");
    return value == nullptr ? "default" : value->dump();
  }

  const GgufConfig* config_;
  Json values_;
  std::set<std::string, std::less<>> read_;
};

void put_yarn(GgufConfig& config, Parameters& rope) {
  const double factor = rope.number("factor");
  config.put("rope.scaling.type", std::string("yarn"));
  config.put("rope.scaling.factor", static_cast<float>(factor));
  config.put_count("rope.scaling.original_context_length",
                   static_cast<std::int64_t>(rope.number("original_max_position_embeddings")));
  rope.require("truncate", true);
  const auto magnitude = [&](double scale) { return factor <= 1 ? 1.0 : 0.1 * scale * std::log(factor) + 1.0; };
  const auto scale = rope.find("mscale"), scale_all = rope.find("mscale_all_dim");
  double attention = scale && scale_all && *scale != 0 && *scale_all != 0 ? magnitude(*scale) / magnitude(*scale_all)
                                                                          : magnitude(1.0);
  if (const auto given = rope.find("attention_factor")) attention = *given;
  // llama.cpp multiplies by magnitude(1) of its own accord.
  if (std::fabs(attention / magnitude(1.0) - 1.0) > 1e-7) {
    config.put("rope.scaling.attn_factor", static_cast<float>(attention / magnitude(1.0)));
  }
  if (const auto fast = rope.find("beta_fast")) config.put("rope.scaling.yarn_beta_fast", static_cast<float>(*fast));
  if (const auto slow = rope.find("beta_slow")) config.put("rope.scaling.yarn_beta_slow", static_cast<float>(*slow));
}

/// One divisor a frequency, as transformers' Llama 3 scaling has them.
GgufFactors llama3_factors(Parameters& rope, std::int64_t head, double theta) {
  const double factor = rope.number("factor");
  const double low = rope.number("low_freq_factor"), high = rope.number("high_freq_factor");
  const double original = rope.number("original_max_position_embeddings");
  GgufFactors factors{"rope_freqs.weight", {}};
  for (std::int64_t i = 0; i < head; i += 2) {
    const double wave = 2 * std::numbers::pi * std::pow(theta, static_cast<double>(i) / static_cast<double>(head));
    const double smooth = (original / wave - low) / (high - low);
    const double divisor = wave < original / high  ? 1.0
                           : wave > original / low ? factor
                                                   : 1.0 / ((1.0 - smooth) / factor + smooth);
    factors.values.push_back(static_cast<float>(divisor));
  }
  return factors;
}

std::vector<GgufFactors> put_longrope(GgufConfig& config, Parameters& rope, std::int64_t rotated,
                                      std::int64_t context) {
  const auto original = rope.find("original_max_position_embeddings").value_or(0);
  const double before = original > 0 ? original : config.number("original_max_position_embeddings");
  const double factor = rope.find("factor").value_or(static_cast<double>(context) / before);
  config.put("rope.scaling.type", std::string("longrope"));
  config.put_count("rope.scaling.original_context_length", static_cast<std::int64_t>(before));
  const double attention = rope.find("attention_factor")
                               .value_or(factor <= 1 ? 1.0 : std::sqrt(1.0 + std::log(factor) / std::log(before)));
  config.put("rope.scaling.attn_factor", static_cast<float>(attention));
  const auto size = static_cast<std::size_t>(rotated / 2);
  return {{"rope_factors_long.weight", rope.list("long_factor", size)},
          {"rope_factors_short.weight", rope.list("short_factor", size)}};
}

/// All of it in the newer form: rope_type, rope_theta and the scaling's own keys in one object.
Json parameters_of(GgufConfig& config) {
  Json values = Json::object();
  const Json* old_scaling = config.find("rope_scaling");
  const Json* parameters = config.find("rope_parameters");
  for (const Json* source : {old_scaling, parameters}) {
    if (source == nullptr) continue;
    for (const auto& [key, value] : source->as_object()) values.set(key, value);
  }
  for (const char* key : {"rope_theta", "partial_rotary_factor"}) {
    const Json* value = config.find(key);
    if (value != nullptr && values.find(key) == nullptr) values.set(key, *value);
  }
  return values;
}

/// Gemma 3 has parameters of their own for layers of each kind.
Json full_attention_parameters(GgufConfig& config, Json values) {
  const Json* local = config.find("rope_local_base_freq");
  if (local != nullptr) config.put("rope.freq_base_swa", static_cast<float>(local->as_number()));
  const Json* sliding = values.find("sliding_attention");
  if (sliding != nullptr) {
    Parameters rope(config, *sliding);
    if (rope.type() != "default")
      config.refuse("rope_parameters.sliding_attention.rope_type", Json(rope.type()), "default");
    config.put("rope.freq_base_swa", static_cast<float>(rope.number("rope_theta")));
    rope.refuse_the_rest();
  }
  const Json* full = values.find("full_attention");
  return full != nullptr ? *full : values;
}

}  // namespace

std::vector<GgufFactors> put_rope(GgufConfig& config, std::int64_t head, std::int64_t context, double usual_theta) {
  Parameters rope(config, full_attention_parameters(config, parameters_of(config)));
  const double theta = rope.find("rope_theta").value_or(usual_theta);
  config.put("rope.freq_base", static_cast<float>(theta));
  const double partial = rope.find("partial_rotary_factor").value_or(1.0);
  const auto rotated = static_cast<std::int64_t>(partial * static_cast<double>(head));
  if (rotated != head && config.architecture() != "phi3") {
    config.refuse("partial_rotary_factor", Json(partial), "1");
  }
  config.put_count("rope.dimension_count", rotated);
  const std::string type = rope.type();
  std::vector<GgufFactors> factors;
  if (type == "linear") {
    config.put("rope.scaling.type", std::string("linear"));
    config.put("rope.scaling.factor", static_cast<float>(rope.number("factor")));
  } else if (type == "yarn") {
    put_yarn(config, rope);
  } else if (type == "llama3" && config.architecture() == "llama") {
    factors.push_back(llama3_factors(rope, head, theta));
  } else if ((type == "longrope" || type == "su") && config.architecture() == "phi3") {
    factors = put_longrope(config, rope, rotated, context);
  } else if (type != "default") {
    config.refuse("rope_parameters.rope_type", Json(type),
                  "default, linear, yarn, llama3 (llama) or longrope (phi3)");
  }
  static_cast<void>(rope.find("original_max_position_embeddings"));
  rope.refuse_the_rest();
  return factors;
}

}  // namespace hone
