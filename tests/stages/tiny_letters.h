#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/bert.h"
#include "policies/t5.h"
#include "stages/golden_curve.h"

namespace hone::test {

/// A vocabulary of eight letters, with sentinels for spans.
inline std::unique_ptr<Tokenizer> eight_letters(const Scratch& scratch) {
  std::vector<std::string> pieces;
  for (char letter = 'a'; letter <= 'h'; ++letter) pieces.emplace_back(1, letter);
  for (int i = 0; i < 4; ++i) pieces.push_back("<extra_id_" + std::to_string(i) + ">");
  return wordpieces(scratch, pieces);
}

/// The run goes on with a new model of that shape, two layers of 32, over eight letters.
template <class Spec>
void use_letters(TinyRun& tiny, std::unique_ptr<Spec> spec, const std::string& kind) {
  tiny.run.tokenizer = eight_letters(tiny.scratch);
  spec->kind = spec->name = kind;
  spec->vocabulary_size = tiny.run.tokenizer->vocab_size();
  spec->hidden = 32;
  spec->layers = 2;
  spec->heads = 2;
  if constexpr (requires { spec->expert_mlp; }) {
    spec->expert_mlp = 32;
  } else {
    spec->mlp = 64;
  }
  spec->context = 32;
  tiny.run.model = std::make_unique<Model>(*spec, HeadPlan{}, kernels::Compute::float32, true);
  tiny.run.policy = std::move(spec);
  tiny.run.model->store.initialize(tiny.run.seed);
  tiny.run.model->store.refresh();
}

inline void use_bert(TinyRun& tiny) { use_letters(tiny, std::make_unique<BertSpec>(), "bert"); }

inline void use_t5(TinyRun& tiny) {
  auto t5 = std::make_unique<T5Spec>();
  t5->buckets = 16;
  t5->max_distance = 20;
  use_letters(tiny, std::move(t5), "t5");
}

}  // namespace hone::test
