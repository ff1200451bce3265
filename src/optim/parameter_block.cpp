#include "optim/parameter_block.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "nn/lora.h"

namespace hone {

namespace {

/// The number of the layer that a tensor belongs to: the first component of its name that is a number; -1: none.
std::int64_t layer_of(std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const std::string_view component = name.substr(0, dot);
    const bool digits = !component.empty() && component.size() < 10 &&
                        std::all_of(component.begin(), component.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (digits) return std::stoll(std::string(component));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return -1;
}

const std::string& name_of(const Segment& segment) {
  return segment.parts.empty() ? segment.name : segment.parts.front().hf_name;
}

/// How many steps of layer_decay a segment is below the full rate. Trunk segments that are declared before the first
/// layer are embeddings.
class Depths {
 public:
  explicit Depths(const ParameterStore& store) {
    for (const Segment& segment : store.segments()) layers_ = std::max(layers_, layer_of(name_of(segment)) + 1);
  }
  /// Segments come in the order of their declaration.
  std::int64_t below_top(const Segment& segment) {
    const std::int64_t layer = layer_of(name_of(segment));
    if (layer >= 0) {
      in_layers_ = true;
      return layers_ - layer;
    }
    const bool embedding = !in_layers_ && layers_ > 0 && segment.role == SegmentRole::trunk;
    return embedding ? layers_ + 1 : 0;
  }

 private:
  std::int64_t layers_ = 0;
  bool in_layers_ = false;
};

/// Which patterns of the configuration have named something.
struct Names {
  std::set<std::string> known, used;

  bool match(const std::string& pattern, const std::string& name) {
    if (!names_module(pattern, name)) return false;
    used.insert(pattern);
    return true;
  }
  void require(const char* key, const std::string& pattern) const {
    if (used.count(pattern) > 0) return;
    fail(ErrorKind::config, "optimizer.{}: '{}' names no tensor of this model; there are {}", key, pattern,
         fmt::join(known, ", "));
  }
};

/// `block` of the tensor `name` as the configuration's patterns have it.
void apply_patterns(ParameterBlock& block, const std::string& name, const OptimizerConfig& config, Names& names) {
  names.known.insert(name);
  for (const std::string& pattern : config.no_decay) {
    if (names.match(pattern, name)) block.decay = false;
  }
  for (const auto& [pattern, factor] : config.rates) {
    if (names.match(pattern, name)) block.scale *= factor;
  }
}

}  // namespace

at::Tensor ParameterBlock::view(const at::Tensor& arena) const {
  const at::Tensor flat = arena.narrow(0, begin, values());
  return matrix ? flat.view({rows, columns}) : flat;
}

std::vector<ParameterBlock> parameter_blocks(const ParameterStore& store, const OptimizerConfig& config) {
  std::vector<ParameterBlock> blocks;
  Names names;
  Depths depths(store);
  for (const Segment& segment : store.segments()) {
    const std::int64_t below = depths.below_top(segment);
    ParameterBlock block;
    block.matrix = segment.shape.size() == 2;
    block.hidden = segment.matrix && segment.role == SegmentRole::trunk && layer_of(name_of(segment)) >= 0;
    block.critic = segment.role == SegmentRole::critic;
    block.columns = segment.count() / segment.shape.front();
    std::vector<SegmentPart> parts = segment.parts;
    if (parts.empty()) parts.push_back({.hf_name = segment.name, .rows = segment.shape.front()});
    std::int64_t begin = segment.offset;
    for (const SegmentPart& part : parts) {
      block.begin = begin;
      block.rows = part.rows;
      begin += part.rows * block.columns;
      block.end = &part == &parts.back() ? segment.end() : begin;
      block.decay = segment.decay;
      block.scale = segment.lr_scale * std::pow(config.layer_decay, static_cast<double>(below));
      apply_patterns(block, part.hf_name, config, names);
      if (!segment.frozen) blocks.push_back(block);
    }
    HONE_ASSERT(begin == segment.offset + segment.count());
  }
  for (const std::string& pattern : config.no_decay) {
    if (config.names_must_exist) names.require("no_decay", pattern);
  }
  for (const auto& [pattern, factor] : config.rates) {
    if (config.names_must_exist) names.require("rates", pattern);
  }
  std::sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return blocks;
}

std::vector<Stretch> join(std::span<const ParameterBlock> blocks) {
  std::vector<Stretch> stretches;
  std::int64_t state = 0;
  for (const ParameterBlock& block : blocks) {
    Stretch* last = stretches.empty() ? nullptr : &stretches.back();
    const bool joins = last != nullptr && last->end == block.begin && last->critic == block.critic &&
                       last->decay == block.decay && last->scale == block.scale;
    if (joins) {
      last->end = block.end;
    } else {
      stretches.push_back({block.begin, block.end, block.critic, block.decay, block.scale, state});
    }
    state += block.end - block.begin;
  }
  return stretches;
}

std::int64_t state_size(std::span<const Stretch> stretches) {
  return stretches.empty() ? 0 : stretches.back().state + stretches.back().size();
}

}  // namespace hone
