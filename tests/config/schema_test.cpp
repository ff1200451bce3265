#include "config/schema.h"

#include <doctest/doctest.h>

#include "sample_config.h"

using namespace hone;
using namespace hone::test;

TEST_CASE("config/schema: types, bounds, defaults, kinds and nothing unknown") {
  SampleConfig config;
  const Json schema = Json::parse(json_schema(sample_catalogs(), body_of(config)).dump(2), "schema");
  CHECK(schema.at("$schema").as_string() == "https://json-schema.org/draft/2020-12/schema");
  const Json& definitions = schema.at("$defs");
  const Json& file = definitions.at("file");
  CHECK_FALSE(file.at("additionalProperties").as_bool());
  CHECK(file.at("properties").find("extends") == nullptr);
  CHECK(definitions.at("partial_file").at("properties").find("extends") != nullptr);

  const Json& model = file.at("properties").at("model");
  CHECK(model.at("description").as_string() == "The network.");
  CHECK_FALSE(model.at("additionalProperties").as_bool());
  const Json& dim = model.at("properties").at("dim");
  CHECK(dim.at("type").dump() == R"(["integer","string"])");
  CHECK(dim.at("minimum").as_number() == 1.0);
  CHECK(dim.at("maximum").as_number() == 8192.0);
  CHECK(dim.at("default").as_integer() == 64);
  CHECK(model.at("properties").at("dropout").at("exclusiveMaximum").as_number() == 1.0);
  CHECK(model.at("properties").at("mode").at("anyOf").as_array()[0].dump() == R"({"enum":["sum","mean"]})");
  CHECK(file.at("properties").at("memory").at("default").as_string() == "1MiB");
  CHECK(file.at("properties").at("betas").at("default").dump() == "[0.9,0.999]");

  const Json& stage = definitions.at("stage");
  CHECK(stage.at("allOf").as_array().size() == 2);
  CHECK(stage.at("allOf").as_array()[1].at("then").at("$ref").as_string() == "#/$defs/stage.ppo");
  CHECK(definitions.at("stage.sft").at("required").dump() == R"(["data"])");
  CHECK(definitions.at("partial_stage.sft").find("required") == nullptr);
  CHECK(definitions.at("reward.sum").at("properties").at("parts").at("items").at("$ref").as_string() ==
        "#/$defs/reward");
}
