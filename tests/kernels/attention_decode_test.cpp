#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/attention/attention_cpu.h"
#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

constexpr std::int64_t columns = 5;  // pages a sequence

/// Samples of prompts: those of one prompt begin with the pages that the prompt fills.
struct Samples {
  AttentionShape shape;
  KvPages pages;
  at::Tensor page_SN;
  std::vector<std::int32_t> past;
  std::vector<at::Tensor> rows;  ///< prompt and tail of each sample

  /// Computes each prompt once; its last page is copied for every sample but the first.
  Samples(const AttentionShape& shape, const std::vector<std::int32_t>& prompts, const std::vector<std::int32_t>& samples,
          std::int64_t tail);
  at::Tensor step();
};

Samples::Samples(const AttentionShape& shape_, const std::vector<std::int32_t>& prompts,
                 const std::vector<std::int32_t>& samples, std::int64_t tail)
    : shape(shape_) {
  std::int64_t count = 0;
  for (const std::int32_t n : samples) count += n;
  pages = make_kv_pages(count * columns, shape);
  pages.key_PHDB.fill_(NAN);  // what no sequence wrote must not matter
  pages.value_PHBD.fill_(NAN);
  page_SN = (count * columns - 1 - at::arange(count * columns)).to(at::kInt).reshape({count, columns});
  std::int32_t* table = page_SN.data_ptr<std::int32_t>();
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    const auto first = static_cast<std::int64_t>(rows.size());
    const at::Tensor prompt = random_tensor({prompts[p], shape.fused_width()}, 50 + p);
    AttentionPlan plan = plan_of({prompts[p]});
    plan.past_S = int_tensor({0});
    plan.page_SN = page_SN.slice(0, first, first + 1).contiguous();
    attention_cached(prompt, shape, plan, pages);
    for (std::int32_t s = 0; s < samples[p]; ++s) {
      std::int32_t* own = table + static_cast<std::int64_t>(rows.size()) * columns;
      const std::int64_t filled = prompts[p] / kv_page;
      std::copy_n(table + first * columns, filled, own);
      if (filled < columns) copy_kv_page(pages, table[first * columns + filled], own[filled]);
      rows.push_back(at::cat({prompt, random_tensor({tail, shape.fused_width()}, 90 + rows.size())}, 0));
      past.push_back(prompts[p]);
    }
  }
}

/// The next token of every sample.
at::Tensor Samples::step() {
  std::vector<at::Tensor> next;
  for (std::size_t s = 0; s < rows.size(); ++s) next.push_back(rows[s].slice(0, past[s], past[s] + 1));
  AttentionPlan plan = plan_of(std::vector<std::int32_t>(rows.size(), 1));
  plan.past_S = int_tensor(past);
  plan.page_SN = page_SN;
  for (std::int32_t& tokens : past) ++tokens;
  return attention_cached(at::cat(next, 0), shape, plan, pages);
}

}  // namespace

TEST_CASE("kernels: samples that share the pages of a prompt get the bits of their own training forward") {
  const std::vector<AttentionShape> shapes{{8, 4, 32}, {12, 4, 64}, {14, 2, 16}, {4, 4, 24}, {16, 1, 8}, {70, 1, 4}};
  for (const AttentionShape& shape : shapes) {
    CAPTURE(shape.heads);
    for (const int count : {1, 2}) {
      hone::set_threads(count);
      Samples samples(shape, {70, 32, 5, 97}, {5, 3, 1, 12}, 20);
      std::vector<at::Tensor> expected;
      for (const at::Tensor& rows : samples.rows) {
        expected.push_back(
            attention_forward(rows, shape, plan_of({static_cast<std::int32_t>(rows.size(0))})).out_TE);
      }
      bool equal = true;
      for (std::int64_t t = 0; t < 20; ++t) {
        const at::Tensor out = samples.step();
        for (std::size_t s = 0; s < expected.size(); ++s) {
          const std::int64_t row = samples.past[s] - 1;
          equal = equal && same_bits(out.slice(0, s, s + 1), expected[s].slice(0, row, row + 1));
        }
      }
      hone::set_threads(1);
      CHECK(equal);
    }
  }
}

TEST_CASE("kernels: in every variant a decode step has the bits of the row kernel") {
  const AttentionShape shape{6, 2, 40};
  const auto attends = HONE_VARIANTS(attention_attend);
  const auto decodes = HONE_VARIANTS(attention_decode);
  const KvPages pages = make_kv_pages(12, shape);
  pages.key_PHDB.copy_(random_tensor(pages.key_PHDB.sizes(), 1));
  pages.value_PHBD.copy_(random_tensor(pages.value_PHBD.sizes(), 2));
  const std::vector<std::int32_t> page{0, 1, 2, 3, 4, 0, 1, 5, 6, 7, 11, 10, 9, 8, 7};
  std::vector<AttentionSequence> sequences;
  for (std::int64_t s = 0; s < 3; ++s) sequences.push_back({s, 1, s, 100 + 7 * s, 101 + 7 * s, page.data() + 5 * s});
  const at::Tensor query = random_tensor({3, shape.query_width()}, 3);
  const at::Tensor bias = random_tensor({shape.heads, 41}, 4);
  for (const bool shaped : {false, true}) {
    AttentionArguments arguments{};
    arguments.heads = shape.heads;
    arguments.kv_heads = shape.kv_heads;
    arguments.head_dim = shape.head_dim;
    arguments.causal = true;
    arguments.scale = static_cast<float>(1 / std::sqrt(40.0));
    if (shaped) arguments.soft_cap = 1.5F;
    if (shaped) arguments.bias = bias.const_data_ptr<float>();
    arguments.bias_reach = 20;
    arguments.query = query.const_data_ptr<float>();
    arguments.query_stride = shape.query_width();
    arguments.keys = pages.key_PHDB.data_ptr<float>();
    arguments.values = pages.value_PHBD.data_ptr<float>();
    const std::vector<AttentionGroup> groups{{sequences.data(), 2, 2}, {sequences.data() + 2, 1, 0}};
    std::vector<float> scratch(static_cast<std::size_t>(2 * attention_group_rows * shape.head_dim));
    for (std::size_t v = 0; v < attends.size(); ++v) {
      at::Tensor alone = at::empty({3, shape.query_width()});
      at::Tensor together = at::empty({3, shape.query_width()});
      arguments.out = alone.data_ptr<float>();
      for (const AttentionSequence& sequence : sequences) {
        for (std::int64_t head = 0; head < shape.kv_heads; ++head) attends[v](arguments, sequence, head, 0, 1);
      }
      arguments.out = together.data_ptr<float>();
      decodes[v](arguments, groups.data(), 0, 4, scratch.data());
      CHECK(same_bits(alone, together));
    }
  }
}
