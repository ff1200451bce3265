#include "nn/rope.h"

#include <cmath>
#include <string>
#include <vector>

#include "support/committed_golden.h"
#include "support/doctest_torch.h"
#include "support/golden.h"

namespace {

using namespace hone;
using namespace hone::test;

/// The strings of the file live as long as `json`.
RopeDefaults defaults_of(const Json& json) {
  RopeDefaults defaults;
  defaults.max_positions = json.at("max_positions").as_integer();
  if (const Json* value = json.find("theta")) defaults.theta = value->as_number();
  if (const Json* value = json.find("rotary_share")) defaults.rotary_share = value->as_number();
  if (const Json* value = json.find("original_positions")) defaults.original_positions = value->as_integer();
  if (const Json* value = json.find("theta_key")) defaults.theta_key = value->as_string();
  if (const Json* value = json.find("share_key")) defaults.share_key = value->as_string();
  if (const Json* value = json.find("layer_type")) defaults.layer_type = value->as_string();
  if (const Json* value = json.find("reads_rope_scaling")) defaults.reads_rope_scaling = value->as_bool();
  return defaults;
}

RopeDefaults with_positions(std::int64_t positions) {
  RopeDefaults defaults;
  defaults.max_positions = positions;
  return defaults;
}

RopeScaling read(const std::string& config, const RopeDefaults& defaults = with_positions(2048)) {
  return rope_from_hf(Json::parse(config, "config"), defaults);
}

std::string refusal(const std::string& config, const RopeDefaults& defaults = with_positions(2048)) {
  try {
    read(config, defaults);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::data);
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The largest relative difference of the published frequencies (5 digits).
double gap(const std::vector<float>& inverse, const Json& expected) {
  REQUIRE(inverse.size() == expected.as_array().size());
  double largest = 0;
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const double wanted = expected.as_array()[i].as_number();
    largest = std::max(largest, std::abs(static_cast<double>(inverse[i]) - wanted) / wanted);
  }
  return largest;
}

RopeScaling published(RopeType type) {
  RopeScaling rope;
  rope.type = type;
  rope.max_positions = 2048;
  rope.original_positions = 2048;
  rope.factor = 10;
  return rope;
}

}  // namespace

TEST_CASE("nn: rotary frequencies and attention factors of every type are those of transformers") {
  const Json all = committed_golden("rope.json");
  for (const Json& golden : all.at("cases").as_array()) {
    const std::string id = golden.at("id").as_string();
    CAPTURE(id);
    const RopeScaling rope = rope_from_hf(golden.at("config"), defaults_of(golden.at("defaults")));
    for (const Json& entry : golden.at("lengths").as_array()) {
      const std::int64_t length = entry.at("length").as_integer();
      CAPTURE(length);
      const RopeFrequencies frequencies = rope_frequencies(rope, golden.at("head_dim").as_integer(), length);
      CHECK(gap(frequencies.inverse, entry.at("inverse")) < 2.4e-7);  // two units in the last place
      CHECK(frequencies.attention_factor == doctest::Approx(entry.at("attention_factor").as_number()).epsilon(1e-12));
    }
  }
}

TEST_CASE("nn: the rotary keys of config.json are written back as they were read") {
  const Json all = committed_golden("rope.json");
  for (const Json& golden : all.at("cases").as_array()) {
    const Json& config = golden.at("config");
    Json written = Json::object();
    rope_from_hf(config, defaults_of(golden.at("defaults"))).to_hf(written);
    CHECK(written.as_object().size() <= config.as_object().size() + 2);  // a made one says theta and share
    for (const auto& [key, value] : config.as_object()) {
      if (key == "max_position_embeddings" || key == "rope_local_base_freq" || key.ends_with("_rope_theta")) continue;
      if (key == "rope_theta" && written.find(key) == nullptr) continue;  // that of the other kind of layer
      CAPTURE(key);
      REQUIRE(written.find(key) != nullptr);
      CHECK(written.at(key).dump() == value.dump());
    }
  }
}

TEST_CASE("nn: a rotary embedding that no file described is read back equal from what it writes") {
  for (const RopeType type :
       {RopeType::none, RopeType::linear, RopeType::dynamic, RopeType::yarn, RopeType::llama3, RopeType::longrope}) {
    RopeScaling rope = published(type);
    rope.theta = 12345.5;
    rope.original_positions = 512;
    rope.beta_fast = 20;
    rope.mscale = 0.7;
    rope.mscale_all_dim = 0.9;
    rope.truncate = false;
    rope.short_factor = std::vector<double>(8, 1.5);
    rope.long_factor = std::vector<double>(8, 3.25);
    Json config = Json::object();
    rope.to_hf(config);
    const RopeScaling again = rope_from_hf(Json::parse(config.dump(), "written"), with_positions(2048));
    for (const std::int64_t length : {0, 2049}) {
      CHECK(rope_frequencies(again, 16, length).inverse == rope_frequencies(rope, 16, length).inverse);
      CHECK(rope_frequencies(again, 16, length).attention_factor ==
            rope_frequencies(rope, 16, length).attention_factor);
    }
  }
}

TEST_CASE("nn: rotary keys that cannot be honoured are refused by name") {
  const auto scaled = [](const std::string& members) { return "{\"rope_scaling\": {" + members + "}}"; };
  CHECK(contains(refusal(scaled("\"rope_type\": \"proportional\"")), "rope_scaling.rope_type is \"proportional\""));
  CHECK(contains(refusal(scaled("\"type\": 3")), "rope_scaling.type is 3"));
  CHECK(contains(refusal(scaled("\"type\": \"linear\"")), "rope_scaling.factor is missing"));
  CHECK(contains(refusal(scaled("\"type\": \"linear\", \"factor\": \"2\"")), "rope_scaling.factor is \"2\""));
  CHECK(contains(refusal(scaled("\"type\": \"dynamic\", \"factor\": 0")), "rope_scaling.factor is 0"));
  CHECK(contains(refusal(scaled("\"type\": \"default\", \"mrope_section\": [1, 2]")), "rope_scaling.mrope_section"));
  CHECK(contains(refusal(scaled("\"type\": \"longrope\", \"short_factor\": [1]")),
                 "rope_scaling.long_factor is missing"));
  CHECK(contains(refusal(scaled("\"type\": \"longrope\", \"short_factor\": 1, \"long_factor\": [1]")),
                 "expected a list"));
  CHECK(contains(refusal(scaled("\"type\": \"yarn\", \"factor\": 2, \"truncate\": 1")), "rope_scaling.truncate is 1"));
  CHECK(contains(refusal(scaled("\"type\": \"yarn\", \"factor\": 2, \"original_max_position_embeddings\": 1.5")),
                 "rope_scaling.original_max_position_embeddings is 1.5"));
  CHECK(
      contains(refusal(scaled("\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, \"high_freq_factor\": 4")),
               "rope_scaling.high_freq_factor is 4"));
  CHECK(contains(refusal(R"({"rope_scaling": "linear"})"), "rope_scaling is string"));
  CHECK(contains(refusal(R"({"rope_theta": 0})"), "rope_theta is 0"));
  CHECK(contains(refusal(R"({"rope_theta": true})"), "rope_theta is true"));
  CHECK(contains(refusal(R"({"partial_rotary_factor": 0.5})"), "partial_rotary_factor is 0.5"));
  CHECK(contains(refusal(R"({"rope_parameters": {"full_attention": {"rope_type": "default"}}})"),
                 "rope_parameters.full_attention"));
  RopeDefaults nested = with_positions(2048);
  nested.layer_type = "full_attention";
  CHECK(contains(refusal(R"({"rope_parameters": {"rope_type": "linear", "factor": 2}})", nested),
                 "rope_parameters.rope_type"));
  CHECK(contains(refusal(R"({"rope_scaling": {"type": "linear", "factor": 2}})", nested), "rope_scaling.type"));
  RopeDefaults partial = with_positions(2048);
  partial.share_key = "rotary_pct";
  CHECK(contains(refusal(R"({"rotary_pct": 1.5})", partial), "rotary_pct is 1.5"));
  CHECK_THROWS_WITH_AS(rope_frequencies(read(R"({"rotary_pct": 0.3})", partial), 10), doctest::Contains("3 of the 10"),
                       Error);
  const RopeScaling longrope =
      read(R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 1], "long_factor": [1, 1, 1]}})");
  CHECK_THROWS_WITH_AS(rope_frequencies(longrope, 8), doctest::Contains("short_factor"), Error);
  CHECK_THROWS_WITH_AS(rope_frequencies(longrope, 4, 2049), doctest::Contains("long_factor"), Error);
}

TEST_CASE("nn: null and empty rotary keys mean a plain embedding") {
  for (const char* config : {R"({})", R"({"rope_scaling": null, "rope_parameters": null})", R"({"rope_scaling": {}})",
                             R"({"rope_parameters": {"rope_type": null, "factor": null}})"}) {
    CAPTURE(config);
    const RopeScaling rope = read(config);
    CHECK(rope.type == RopeType::none);
    CHECK(rope.theta == 10000);
  }
}

TEST_CASE("nn: a rotary table holds the cosines of its frequencies times the attention factor") {
  RopeScaling rope = published(RopeType::longrope);
  rope.short_factor = {1, 2};
  rope.long_factor = {3, 4};
  const double factor = std::sqrt(1 + std::log(10.0) / std::log(2048.0));
  const at::Tensor brief = rope_table(rope, 4, 3);
  const at::Tensor extended = rope_table(rope, 4, 3, 2049);
  CHECK(brief[2][0][1].item<double>() == doctest::Approx(factor * std::cos(2 * 0.01 / 2)));
  CHECK(extended[2][1][0].item<double>() == doctest::Approx(factor * std::sin(2.0 / 3)));
}

TEST_CASE("nn: scaled rotary frequencies are the published ones") {
  HONE_NEEDS_TEST_DATA(folder);
  const Json plain = golden_case(folder, "rope.json", "default").at("expected");
  const std::vector<float> unscaled = rope_frequencies(published(RopeType::none), 128).inverse;
  CHECK(gap(unscaled, plain) < 1e-4);

  const Json linear = golden_case(folder, "rope.json", "linear");
  for (const Json& factor : linear.at("inputs").at("factors").as_array()) {
    RopeScaling rope = published(RopeType::linear);
    rope.factor = factor.as_number();
    const std::vector<float> inverse = rope_frequencies(rope, 128).inverse;
    for (std::size_t i = 0; i < inverse.size(); ++i) {
      CHECK(inverse[i] == doctest::Approx(unscaled[i] / rope.factor).epsilon(1e-6));
    }
  }

  const Json dynamic = golden_case(folder, "rope.json", "dynamic_ntk");
  const std::int64_t length = dynamic.at("inputs").at("seq_len").as_integer();
  CHECK(gap(rope_frequencies(published(RopeType::dynamic), 128, length).inverse, dynamic.at("expected")) < 1e-4);
  CHECK(gap(rope_frequencies(published(RopeType::dynamic), 128, 2048).inverse, plain) < 1e-4);

  const Json yarn = golden_case(folder, "rope.json", "yarn").at("expected");
  CHECK(gap(rope_frequencies(published(RopeType::yarn), 128).inverse, yarn.at("inv_freq")) < 1e-4);
  for (const auto& [factor, wanted] : yarn.at("attention_factor_default").as_object()) {
    RopeScaling rope = published(RopeType::yarn);
    rope.factor = std::stod(factor);
    CHECK(rope_frequencies(rope, 128).attention_factor == doctest::Approx(wanted.as_number()).epsilon(1e-12));
  }

  const Json llama3 = golden_case(folder, "rope.json", "llama3").at("expected");
  CHECK(gap(rope_frequencies(published(RopeType::llama3), 128).inverse, llama3) < 1e-4);

  const Json longrope = golden_case(folder, "rope.json", "longrope").at("expected");
  RopeScaling rope = published(RopeType::longrope);
  for (int i = 1; i <= 64; ++i) {
    rope.short_factor.push_back(2);
    rope.long_factor.push_back(i);
  }
  const std::vector<float> brief = rope_frequencies(rope, 128).inverse;
  const std::vector<float> extended = rope_frequencies(rope, 128, 20480).inverse;
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(brief[i] == doctest::Approx(unscaled[i] / 2).epsilon(1e-6));
    CHECK(extended[i] == doctest::Approx(unscaled[i] / static_cast<double>(i + 1)).epsilon(1e-6));
  }
  for (const auto& [factor, wanted] : longrope.at("attention_factor").as_object()) {
    rope.factor = std::stod(factor);
    CHECK(rope_frequencies(rope, 128).attention_factor == doctest::Approx(wanted.as_number()).epsilon(1e-12));
  }
}
