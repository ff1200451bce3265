#include "report/model_card.h"

#include <doctest/doctest.h>

namespace hone {

TEST_CASE("report: a model card has a YAML head and tables") {
  ModelCard card;
  card.name = "tiny-math";
  card.license = "apache-2.0";
  card.base_model = "models/tiny";
  card.pipeline_tag = "text-generation";
  card.datasets = {"gsm8k"};
  card.results = {{"accuracy", "gsm8k, 1,319 problems", 0.5}, {"accuracy", "held out", 0.25}};
  card.training = {{"Stages", "sft, grpo"}, {"a|b", "c\nd"}};
  CHECK(model_card_text(card) ==
        "---\n"
        "license: \"apache-2.0\"\n"
        "base_model: \"models/tiny\"\n"
        "library_name: \"transformers\"\n"
        "pipeline_tag: \"text-generation\"\n"
        "datasets:\n- \"gsm8k\"\n"
        "metrics:\n- \"accuracy\"\n"
        "model-index:\n- name: \"tiny-math\"\n  results:\n"
        "  - task:\n      type: \"text-generation\"\n    dataset:\n      name: \"gsm8k, 1,319 problems\"\n"
        "      type: \"gsm8k, 1,319 problems\"\n    metrics:\n    - type: \"accuracy\"\n      value: 0.5\n"
        "  - task:\n      type: \"text-generation\"\n    dataset:\n      name: \"held out\"\n"
        "      type: \"held out\"\n    metrics:\n    - type: \"accuracy\"\n      value: 0.25\n"
        "---\n"
        "\n# tiny-math\n"
        "\n## Results\n\n"
        "| metric | measured on | value |\n|---|---|---|\n"
        "| accuracy | gsm8k, 1,319 problems | 0.5 |\n| accuracy | held out | 0.25 |\n"
        "\n## Training\n\n| | |\n|---|---|\n"
        "| Stages | sft, grpo |\n| a\\|b | c d |\n");
}

TEST_CASE("report: a name cannot add keys to the head of a model card") {
  ModelCard card;
  card.name = "x\n---\nlicense: mit";
  card.base_model = "a\"\nlicense: mit # b";
  card.adapter = true;
  CHECK(model_card_text(card) ==
        "---\nbase_model: \"a\\\"\\nlicense: mit # b\"\nlibrary_name: \"peft\"\n---\n\n# x --- license: mit\n");
}

}  // namespace hone
