#include "nn/lora.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace hone {

namespace {

/// `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t from = star; from <= text.size(); ++from) {
    if (matches(rest, text.substr(from))) return true;
  }
  return false;
}

std::string module_of(const SegmentPart& part) {
  const std::size_t dot = part.hf_name.rfind('.');
  return part.hf_name.substr(0, dot);
}

std::string last_component(std::string_view module) { return std::string(module.substr(module.rfind('.') + 1)); }

/// Matrices that adapters go on when no target is named: those of the blocks, not the embedding or the LM head.
bool in_a_block(std::string_view module) {
  return std::any_of(module.begin(), module.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Experts and their router: PEFT attaches nothing to them by default either.
bool in_a_mixture(std::string_view segment) {
  return segment.ends_with(".router") || segment.find(".experts.") != std::string_view::npos;
}

/// Declares one adapter for the part of `matrix` that starts at first_row.
void attach_to(ParameterStore& store, const LoraConfig& config, const Parameter& matrix, const SegmentPart& part,
               std::int64_t first_row) {
  const std::string module = module_of(part);
  const std::string name = matrix.segment().name + "." + last_component(module);
  const std::string peft = "base_model.model." + module;
  const std::int64_t columns = matrix.segment().shape[1];
  const PartLayout rows_layout{.outer = part.layout.outer, .inner = part.layout.inner};
  const auto declare = [&](const char* suffix, const std::string& hf, std::vector<std::int64_t> shape, Init init,
                           PartLayout layout) {
    const std::int64_t rows = shape[0];
    return store.add({.name = name + suffix,
                      .shape = std::move(shape),
                      .parts = {{peft + hf, rows, layout}},
                      .init = init,
                      .role = SegmentRole::adapter,
                      .matrix = true});
  };
  LowRankAdapter adapter{.first_row = first_row, .rows = part.rows, .scale = config.scale()};
  // The variance of PEFT's uniform start.
  adapter.a_RK = declare(".lora_a", ".lora_A.weight", {config.rank, columns},
                         normal_init(1.0 / std::sqrt(3.0 * static_cast<double>(columns))), {});
  adapter.b_NR = declare(".lora_b", ".lora_B.weight", {part.rows, config.rank}, constant_init(0), rows_layout);
  if (config.dora) {
    adapter.magnitude_N = store.add({.name = name + ".lora_magnitude",
                                     .shape = {part.rows},
                                     .parts = {{peft + ".lora_magnitude_vector", part.rows, rows_layout}},
                                     .init = constant_init(1),
                                     .role = SegmentRole::adapter,
                                     .decay = false});
  }
  store.attach(matrix, std::move(adapter));
}

[[noreturn]] void names_nothing(std::string_view key, std::string_view pattern, const std::set<std::string>& names) {
  fail(ErrorKind::config, "{}: '{}' names nothing of this model; there are {}", key, pattern, fmt::join(names, ", "));
}

}  // namespace

void LoraConfig::describe(Fields& f) {
  f.field("rank", rank, "Rank of the adapters; 0: none, the matrices themselves are trained.", at_least(0));
  f.field("alpha", alpha, "Updates are scaled by alpha / rank.", above(0));
  f.field("dropout", dropout, "Of the adapters' inputs.", Range{.low = 0, .high = 1, .open_high = true});
  f.field("targets", targets,
          "Modules that get adapters, by the end of their Hugging Face names (q_proj) or with * for anything; by default "
          "every matrix of the blocks but for experts and routers.");
  f.field("rslora", rslora, "Scale by alpha / sqrt(rank).");
  f.field("dora", dora, "Also learn the magnitude of each row.");
  f.check(!dora || dropout == 0, "dropout", "must be 0 with dora: the magnitude would need a second product with the base");
}

double LoraConfig::scale() const {
  const auto r = static_cast<double>(rank);
  return rslora ? alpha / std::sqrt(r) : alpha / r;
}

bool names_module(std::string_view pattern, std::string_view module) {
  if (matches(pattern, module)) return true;
  for (std::size_t dot = module.find('.'); dot != std::string_view::npos; dot = module.find('.', dot + 1)) {
    if (matches(pattern, module.substr(dot + 1))) return true;
  }
  return false;
}

void attach_lora(ParameterStore& store, const LoraConfig& config) {
  std::set<std::string> known;
  std::set<std::string> used;
  std::vector<std::string> names;
  for (Segment& segment : store.segments()) {
    if (segment.role != SegmentRole::trunk && segment.role != SegmentRole::lm_head) continue;
    segment.frozen = true;
    const bool in_block = segment.matrix && segment.role == SegmentRole::trunk && in_a_block(module_of(segment.parts[0]));
    if (in_block) names.push_back(segment.name);
  }
  for (const std::string& name : names) {
    const Parameter matrix = store.find(name);
    const std::vector<SegmentPart> parts = matrix.segment().parts;  // a copy: declaring segments moves them
    std::int64_t first_row = 0;
    for (const SegmentPart& part : parts) {
      const std::string module = module_of(part);
      known.insert(last_component(module));
      bool wanted = config.targets.empty() && !in_a_mixture(name);
      for (const std::string& target : config.targets) {
        if (!names_module(target, module)) continue;
        wanted = true;
        used.insert(target);
      }
      if (wanted) attach_to(store, config, matrix, part, first_row);
      first_row += part.rows;
    }
  }
  for (const std::string& target : config.targets) {
    if (used.count(target) == 0) names_nothing("model.lora.targets", target, known);
  }
}

void initialize_magnitudes(ParameterStore& store) {
  const at::NoGradGuard no_grad;
  for (const Segment& segment : store.segments()) {
    const Parameter matrix = store.find(segment.name);
    for (const LowRankAdapter& adapter : matrix.adapters()) {
      if (!adapter.magnitude_N.defined()) continue;
      const at::Tensor base = matrix.weight().narrow(0, adapter.first_row, adapter.rows);
      adapter.magnitude_N.weight().copy_(at::linalg_vector_norm(base, 2, at::IntArrayRef{1}));
    }
  }
}

void merge_adapters(ParameterStore& store) {
  const at::NoGradGuard no_grad;
  for (const Segment& segment : store.segments()) {
    const Parameter matrix = store.find(segment.name);
    for (const LowRankAdapter& adapter : matrix.adapters()) {
      at::Tensor rows = matrix.weight().narrow(0, adapter.first_row, adapter.rows);
      rows.addmm_(adapter.b_NR.weight(), adapter.a_RK.weight(), 1, adapter.scale);
      if (adapter.magnitude_N.defined()) {
        const at::Tensor norm = at::linalg_vector_norm(rows, 2, at::IntArrayRef{1});
        rows.mul_((adapter.magnitude_N.weight() / norm).unsqueeze(1));
      }
      adapter.b_NR.weight().zero_();
    }
  }
  initialize_magnitudes(store);
  store.refresh();
}

void freeze_segments(ParameterStore& store, const std::vector<std::string>& patterns) {
  std::set<std::string> known;
  std::set<std::string> used;
  for (Segment& segment : store.segments()) {
    std::size_t frozen = 0;
    for (const SegmentPart& part : segment.parts) {
      known.insert(part.hf_name);
      bool matched = false;
      for (const std::string& pattern : patterns) {
        if (!matches(pattern, part.hf_name)) continue;
        matched = true;
        used.insert(pattern);
      }
      frozen += matched ? 1 : 0;
    }
    if (frozen > 0 && frozen < segment.parts.size()) {
      fail(ErrorKind::config, "model.freeze: '{}' is frozen but '{}' is not, or the reverse; they are one matrix here: "
           "freeze both", segment.parts.front().hf_name, segment.parts.back().hf_name);
    }
    if (frozen > 0) segment.frozen = true;
  }
  for (const std::string& pattern : patterns) {
    if (used.count(pattern) == 0) names_nothing("model.freeze", pattern, known);
  }
}

}  // namespace hone
