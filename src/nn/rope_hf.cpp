#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"
#include "nn/rope.h"

namespace hone {

namespace {

constexpr std::array<std::pair<std::string_view, RopeType>, 7> types = {{
    {"default", RopeType::none},
    {"linear", RopeType::linear},
    {"dynamic", RopeType::dynamic},
    {"yarn", RopeType::yarn},
    {"llama3", RopeType::llama3},
    {"longrope", RopeType::longrope},
    {"su", RopeType::longrope},  // as the first Phi-3 files called it
}};

std::string_view name_of(RopeType type) {
  return std::find_if(types.begin(), types.end(), [type](const auto& row) { return row.second == type; })->first;
}

/// transformers ignores those of another type, and `finetuned`.
constexpr std::array known_keys = {"rope_type",       "type",
                                   "rope_theta",      "partial_rotary_factor",
                                   "factor",          "original_max_position_embeddings",
                                   "low_freq_factor", "beta_fast",
                                   "beta_slow",       "high_freq_factor",
                                   "short_factor",    "attention_factor",
                                   "long_factor",     "mscale",
                                   "truncate",        "mscale_all_dim",
                                   "finetuned"};

const Json* present(const Json* value) { return value == nullptr || value->is_null() ? nullptr : value; }

/// The rotary parameters of one kind of layer: up to two objects, the first one counts where both say something.
class Parameters {
 public:
  void add(std::string name, const Json* object) {
    if (object == nullptr) return;
    if (!object->is_object()) {
      fail(ErrorKind::data, "config.json: {} is {}, expected an object", name, object->type_name());
    }
    for (const auto& [key, value] : object->as_object()) {
      if (value.is_null() || std::find(known_keys.begin(), known_keys.end(), key) != known_keys.end()) continue;
      fail(ErrorKind::data, "config.json: {}.{} is {}, which this version does not know", name, key, value.dump());
    }
    objects_.emplace_back(std::move(name), object);
  }

  /// Null and absent are the same.
  const Json* find(std::string_view key) const {
    for (const auto& [name, object] : objects_) {
      if (const Json* value = present(object->find(key))) return value;
    }
    return nullptr;
  }

  std::string name(std::string_view key) const {
    for (const auto& [name, object] : objects_) {
      if (object->find(key) != nullptr) return fmt::format("{}.{}", name, key);
    }
    return objects_.empty() ? std::string(key) : fmt::format("{}.{}", objects_.front().first, key);
  }

  const Json& required(std::string_view key, std::string_view type) const {
    const Json* value = find(key);
    if (value == nullptr) {
      fail(ErrorKind::data, "config.json: {} is missing, which rotary embeddings of type {} need", name(key), type);
    }
    return *value;
  }

 private:
  std::vector<std::pair<std::string, const Json*>> objects_;
};

double number(const Json& value, const std::string& name) {
  if (!value.is_number() || !std::isfinite(value.as_number())) {
    fail(ErrorKind::data, "config.json: {} is {}, expected a number", name, value.dump());
  }
  return value.as_number();
}

double positive(const Json& value, const std::string& name) {
  const double result = number(value, name);
  if (result <= 0) fail(ErrorKind::data, "config.json: {} is {}, expected more than 0", name, value.dump());
  return result;
}

std::int64_t positions(const Json& value, const std::string& name) {
  if (!value.is_integer() || value.as_integer() < 1) {
    fail(ErrorKind::data, "config.json: {} is {}, expected a whole number, at least 1", name, value.dump());
  }
  return value.as_integer();
}

std::vector<double> factors(const Json& value, const std::string& name) {
  if (!value.is_array()) fail(ErrorKind::data, "config.json: {} is {}, expected a list", name, value.type_name());
  std::vector<double> result;
  for (const Json& entry : value.as_array()) result.push_back(positive(entry, name));
  return result;
}

bool boolean(const Json& value, const std::string& name) {
  if (!value.is_bool()) fail(ErrorKind::data, "config.json: {} is {}, expected true or false", name, value.dump());
  return value.as_bool();
}

/// The object that applies, and the keys of config.json that were looked at.
class Reader {
 public:
  Reader(const Json& config, const RopeDefaults& defaults) : config_(config), defaults_(defaults) { collect(); }
  RopeScaling read();

 private:
  const Json* top(std::string_view key) {
    const Json* value = config_.find(key);
    if (value != nullptr) rope_.hf.set(std::string(key), *value);
    return present(value);
  }
  void collect();
  RopeType type() const;
  void read_share();
  void read_yarn();
  void read_llama3();
  void read_longrope();
  void read_original_positions(const Json* outside);
  double positive_or(std::string_view key, double otherwise) const {
    const Json* value = parameters_.find(key);
    return value == nullptr ? otherwise : positive(*value, parameters_.name(key));
  }

  const Json& config_;
  const RopeDefaults& defaults_;
  Parameters parameters_;
  std::string_view type_name_;
  RopeScaling rope_;
};

void Reader::collect() {
  const Json* parameters = top("rope_parameters");
  const Json* scaling = top("rope_scaling");
  if (scaling != nullptr && scaling->is_object() && scaling->as_object().empty()) scaling = nullptr;
  if (defaults_.layer_type.empty()) {  // the older key wins
    if (scaling != nullptr) return parameters_.add("rope_scaling", scaling);
    return parameters_.add("rope_parameters", parameters);
  }
  if (defaults_.reads_rope_scaling && scaling != nullptr) {
    if (scaling->find("type") != nullptr && scaling->find("rope_type") == nullptr) {
      fail(ErrorKind::data,
           "config.json: rope_scaling.type is {}: where layers are of different types, transformers reads rope_type "
           "only: say that",
           scaling->at("type").dump());
    }
    parameters_.add("rope_scaling", scaling);
  }
  if (parameters == nullptr) return;
  if (!parameters->is_object()) {
    fail(ErrorKind::data, "config.json: rope_parameters is {}, expected an object", parameters->type_name());
  }
  for (const auto& [key, value] : parameters->as_object()) {
    if (key == "full_attention" || key == "sliding_attention" || value.is_null()) continue;
    fail(ErrorKind::data, "config.json: rope_parameters.{}: expected full_attention and sliding_attention only", key);
  }
  parameters_.add(fmt::format("rope_parameters.{}", defaults_.layer_type),
                  present(parameters->find(defaults_.layer_type)));
}

RopeType Reader::type() const {
  const char* key = parameters_.find("rope_type") != nullptr ? "rope_type" : "type";
  const Json* value = parameters_.find(key);
  if (value == nullptr) return RopeType::none;
  const auto* found = std::find_if(types.begin(), types.end(), [value](const auto& row) {
    return value->is_string() && value->as_string() == row.first;
  });
  if (found == types.end()) {
    fail(ErrorKind::data, "config.json: {} is {}, expected default, linear, dynamic, yarn, llama3 or longrope",
         parameters_.name(key), value->dump());
  }
  return found->second;
}

void Reader::read_original_positions(const Json* outside) {
  const char* key = "original_max_position_embeddings";
  if (outside != nullptr) {
    rope_.original_positions = positions(*outside, key);
  } else if (defaults_.original_positions > 0) {
    rope_.original_positions = defaults_.original_positions;
  } else if (const Json* value = parameters_.find(key)) {
    rope_.original_positions = positions(*value, parameters_.name(key));
  } else {
    rope_.original_positions = defaults_.max_positions;
  }
}

void Reader::read_yarn() {
  rope_.beta_fast = positive_or("beta_fast", 32);
  rope_.beta_slow = positive_or("beta_slow", 1);
  if (const Json* value = parameters_.find("mscale")) rope_.mscale = number(*value, parameters_.name("mscale"));
  if (const Json* value = parameters_.find("mscale_all_dim")) {
    rope_.mscale_all_dim = number(*value, parameters_.name("mscale_all_dim"));
  }
  if (const Json* value = parameters_.find("truncate")) {
    rope_.truncate = boolean(*value, parameters_.name("truncate"));
    if (!rope_.truncate && !defaults_.layer_type.empty()) {
      fail(ErrorKind::data,
           "config.json: {} is false: layers of different types cannot have it, transformers ignores it",
           parameters_.name("truncate"));
    }
  }
}

void Reader::read_llama3() {
  const auto required = [&](const char* key) {
    return positive(parameters_.required(key, type_name_), parameters_.name(key));
  };
  rope_.low_frequency_factor = required("low_freq_factor");
  rope_.high_frequency_factor = required("high_freq_factor");
  if (rope_.high_frequency_factor <= rope_.low_frequency_factor) {
    fail(ErrorKind::data, "config.json: {} is {}, expected more than low_freq_factor, which is {}",
         parameters_.name("high_freq_factor"), rope_.high_frequency_factor, rope_.low_frequency_factor);
  }
}

void Reader::read_longrope() {
  const auto required = [&](const char* key) {
    return factors(parameters_.required(key, type_name_), parameters_.name(key));
  };
  rope_.short_factor = required("short_factor");
  rope_.long_factor = required("long_factor");
}

void Reader::read_share() {
  const bool whole = defaults_.share_key.empty();
  const std::string_view key = whole ? "partial_rotary_factor" : defaults_.share_key;
  const Json* outside = top(key);
  const Json* inside = parameters_.find("partial_rotary_factor");
  const std::string name = inside != nullptr ? parameters_.name("partial_rotary_factor") : std::string(key);
  const Json* value = inside != nullptr ? inside : outside;
  rope_.rotary_share = value == nullptr ? defaults_.rotary_share : positive(*value, name);
  if (rope_.rotary_share > 1 || (whole && rope_.rotary_share != 1)) {
    fail(ErrorKind::data, "config.json: {} is {}, expected {}", name, rope_.rotary_share,
         whole ? "1: this family rotates whole heads" : "at most 1");
  }
}

RopeScaling Reader::read() {
  const Json* theta = top(defaults_.theta_key);
  const Json* original = top("original_max_position_embeddings");
  rope_.max_positions = defaults_.max_positions;
  rope_.type = type();
  type_name_ = name_of(rope_.type);
  rope_.theta = positive_or("rope_theta",
                            theta == nullptr ? defaults_.theta : positive(*theta, std::string(defaults_.theta_key)));
  read_share();
  if (rope_.type == RopeType::none) return rope_;
  read_original_positions(defaults_.layer_type.empty() ? original : nullptr);
  // Where it may be null, it is how much longer the context became.
  const bool may_be_null = rope_.type == RopeType::longrope || rope_.type == RopeType::yarn;
  rope_.factor = static_cast<double>(rope_.max_positions) / static_cast<double>(rope_.original_positions);
  if (!may_be_null) parameters_.required("factor", type_name_);
  rope_.factor = positive_or("factor", rope_.factor);
  if (const Json* value = parameters_.find("attention_factor")) {
    rope_.attention_factor = number(*value, parameters_.name("attention_factor"));
  }
  if (rope_.type == RopeType::yarn) read_yarn();
  if (rope_.type == RopeType::llama3) read_llama3();
  if (rope_.type == RopeType::longrope) read_longrope();
  return rope_;
}

Json written(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(value);
  return list;
}

}  // namespace

RopeScaling rope_from_hf(const Json& config, const RopeDefaults& defaults) {
  HONE_ASSERT(defaults.max_positions >= 1);
  return Reader(config, defaults).read();
}

void RopeScaling::to_hf(Json& config) const {
  if (!hf.as_object().empty()) {
    for (const auto& [key, value] : hf.as_object()) config.set(key, value);
    return;
  }
  config.set("rope_theta", theta);
  if (rotary_share != 1) config.set("partial_rotary_factor", rotary_share);
  if (type == RopeType::none) return;
  Json scaling = Json::object();
  scaling.set("rope_type", name_of(type));
  scaling.set("factor", factor);
  if (type == RopeType::yarn || type == RopeType::llama3 || type == RopeType::longrope) {
    scaling.set("original_max_position_embeddings", original_positions);
  }
  if (attention_factor) scaling.set("attention_factor", *attention_factor);
  if (type == RopeType::llama3) {
    scaling.set("low_freq_factor", low_frequency_factor);
    scaling.set("high_freq_factor", high_frequency_factor);
  }
  if (type == RopeType::yarn) {
    scaling.set("beta_fast", beta_fast);
    scaling.set("beta_slow", beta_slow);
    scaling.set("truncate", truncate);
    if (mscale != 0) scaling.set("mscale", mscale);
    if (mscale_all_dim != 0) scaling.set("mscale_all_dim", mscale_all_dim);
  }
  if (type == RopeType::longrope) {
    scaling.set("short_factor", written(short_factor));
    scaling.set("long_factor", written(long_factor));
  }
  config.set("rope_scaling", std::move(scaling));
}

}  // namespace hone
