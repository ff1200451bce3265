#include "io/model_files.h"

#include "base/json.h"
#include "io/file.h"
#include "io/safetensors.h"

#include "support/scratch.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace hone {

using test::Scratch;

namespace {

struct Weights {
  std::vector<float> values = std::vector<float>(100, 0.5f);
  std::vector<TensorView> views;
  void add(std::string name, std::int64_t count) {
    views.push_back({std::move(name),
                     DType::f32,
                     {count},
                     std::as_bytes(std::span(values)).first(static_cast<std::size_t>(count) * sizeof(float))});
  }
};

std::set<std::string> files_of(const std::filesystem::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("io: weights that fit one file have no index") {
  const Scratch scratch;
  Weights weights;
  weights.add("a", 10);
  write_weight_files(scratch.path(), weights.views, {.max_shard_bytes = 40});
  CHECK(files_of(scratch.path()) == std::set<std::string>{"model.safetensors"});
  write_weight_files(scratch.path(), {});
  CHECK(Safetensors::open(scratch.path()).tensors().empty());
}

TEST_CASE("io: shards are filled in order, a tensor that is too large alone, and open again") {
  const Scratch scratch;
  Weights weights;
  for (const auto& [name, count] :
       std::vector<std::pair<std::string, std::int64_t>>{{"z", 5}, {"b", 5}, {"a", 1}, {"large", 50}, {"last", 2}}) {
    weights.add(name, count);
  }
  write_weight_files(scratch.path(), weights.views, {.max_shard_bytes = 40});
  CHECK(files_of(scratch.path()) ==
        std::set<std::string>{"model-00001-of-00004.safetensors", "model-00002-of-00004.safetensors",
                              "model-00003-of-00004.safetensors", "model-00004-of-00004.safetensors",
                              "model.safetensors.index.json"});
  const Json index = Json::parse(read_file(scratch.path() / "model.safetensors.index.json"), "index");
  CHECK(index.at("metadata").dump() == R"({"total_parameters":63,"total_size":252})");
  CHECK(index.at("weight_map").dump() ==
        R"({"a":"model-00002-of-00004.safetensors","b":"model-00001-of-00004.safetensors",)"
        R"("large":"model-00003-of-00004.safetensors","last":"model-00004-of-00004.safetensors",)"
        R"("z":"model-00001-of-00004.safetensors"})");
  const Safetensors file = Safetensors::open(scratch.path());
  CHECK(file.tensors().size() == 5);
  CHECK(file.find("large")->shape == std::vector<std::int64_t>{50});
  CHECK(file.metadata().at("format") == "pt");
}

TEST_CASE("io: the size of a shard counts what is stored, and the same weights give the same bytes") {
  const Scratch first, second;
  Weights weights;
  weights.add("a", 10);
  weights.add("b", 10);
  const std::vector<std::int64_t> ids = {7};
  weights.views.push_back({"ids", DType::i64, {1}, std::as_bytes(std::span(ids))});
  for (const auto* scratch : {&first, &second}) {
    write_weight_files(scratch->path(), weights.views, {.stored = DType::bf16, .max_shard_bytes = 40});
  }
  for (const std::string& name : files_of(first.path())) {
    CHECK(read_file(first.path() / name) == read_file(second.path() / name));
  }
  const Safetensors file = Safetensors::open(first.path());
  CHECK(file.find("a")->dtype == DType::bf16);
  CHECK(file.find("ids")->dtype == DType::i64);
  CHECK(files_of(first.path()).size() == 3);
}

}  // namespace hone
