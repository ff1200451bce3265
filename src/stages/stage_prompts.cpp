#include "stages/stage_prompts.h"

#include "base/error.h"
#include "data/prompts.h"
#include "rollout/collect.h"

namespace hone {

void add_data_names(const EnvironmentSpec* environment, std::vector<std::string>& names) {
  if (environment == nullptr) return;
  for (std::string& name : environment->data_names()) names.push_back(std::move(name));
}

void require_prompts(Run& run, const EnvironmentSpec& environment, Split split, std::uint64_t most) {
  const PolicyShape& shape = run.model->policy->shape();
  for (const std::string& name : environment.data_names()) {
    const std::shared_ptr<const Dataset> data = run.dataset(name);
    for_each_prompt(data, split, most, [&](const Prompt& prompt, std::size_t row) {
      std::size_t tokens = 0;
      try {
        tokens = encode_prompt(*run.tokenizer, prompt).size();
      } catch (const Error& error) {
        fail(error.kind(), "{}: {}", data->place(split, row), error.what());
      }
      // An encoder-decoder model reads the prompt apart from the answer.
      if (shape.kind == PolicyKind::encoder_decoder || tokens < static_cast<std::size_t>(shape.context)) return;
      fail(ErrorKind::data, "{}: the prompt has {} tokens, which leaves no room for a completion in the model's context of {}; "
           "leave the row out or shorten it", data->place(split, row), tokens, shape.context);
    });
  }
}

}  // namespace hone
