#include <algorithm>
#include <vector>

#include "kernels/attention_oracle.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

/// Pages of several sequences, handed out in an order that is not ascending.
class Cache {
 public:
  Cache(const AttentionShape& shape, std::int64_t sequences, std::int64_t pages_each)
      : shape_(shape), pages_(make_kv_pages(sequences * pages_each + 3, shape)), past_(sequences, 0) {
    pages_.key_PHDB.fill_(NAN);  // what no sequence wrote must not matter
    pages_.value_PHBD.fill_(NAN);
    page_SN_ = at::empty({sequences, pages_each}, at::kInt);
    for (std::int64_t i = 0; i < sequences * pages_each; ++i) {
      page_SN_.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(sequences * pages_each + 2 - i);
    }
  }

  /// Appends `counts[s]` rows to sequence s; rows of qkv in the order of the sequences.
  at::Tensor append(const at::Tensor& qkv, const std::vector<std::int32_t>& counts, std::int64_t window = 0) {
    AttentionPlan plan = plan_of(counts, AttentionKind::causal, window);
    plan.past_S = int_tensor(past_);
    plan.page_SN = page_SN_;
    at::Tensor out = attention_cached(qkv, shape_, plan, pages_);
    for (std::size_t s = 0; s < counts.size(); ++s) past_[s] += counts[s];
    return out;
  }

  KvPages& pages() { return pages_; }
  at::Tensor& table() { return page_SN_; }

 private:
  AttentionShape shape_;
  KvPages pages_;
  at::Tensor page_SN_;
  std::vector<std::int32_t> past_;
};

const std::vector<AttentionShape> shapes{{4, 4, 32}, {4, 2, 64}, {6, 1, 16},  {3, 3, 7},
                                         {8, 2, 8},  {2, 1, 20}, {4, 1, 256}, {2, 2, 72}};

}  // namespace

TEST_CASE("kernels: prefill and decode give the bits of the training forward at every length around a page border") {
  for (const AttentionShape& shape : shapes) {
    for (const std::int64_t window : {0, 1, 5, 33}) {
      for (const std::int32_t length : {1, 2, 31, 32, 33, 63, 64, 65, 100}) {
        CAPTURE(shape.head_dim);
        CAPTURE(window);
        CAPTURE(length);
        const at::Tensor qkv = random_tensor({length, shape.fused_width()}, 11);
        const at::Tensor expected =
            attention_forward(qkv, shape, plan_of({length}, AttentionKind::causal, window)).out_TE;
        Cache whole(shape, 1, 4);
        CHECK(same_bits(whole.append(qkv, {length}, window), expected));
        Cache steps(shape, 1, 4);
        bool equal = true;
        for (std::int64_t t = 0; t < length; ++t) {
          const at::Tensor row = qkv.slice(0, t, t + 1).contiguous();
          equal = equal && same_bits(steps.append(row, {1}, window), expected.slice(0, t, t + 1));
        }
        CHECK(equal);
      }
    }
  }
}

TEST_CASE("kernels: prefill in pieces of any size gives the bits of the training forward") {
  const AttentionShape shape{4, 2, 32};
  const at::Tensor qkv = random_tensor({120, shape.fused_width()}, 12);
  const at::Tensor expected = attention_forward(qkv, shape, plan_of({120})).out_TE;
  for (const std::int32_t piece : {2, 3, 16, 31, 32, 33, 50, 64, 119}) {
    CAPTURE(piece);
    Cache cache(shape, 1, 4);
    for (std::int32_t begin = 0; begin < 120; begin += piece) {
      const std::int32_t end = std::min(begin + piece, 120);
      const at::Tensor out = cache.append(qkv.slice(0, begin, end).contiguous(), {end - begin});
      CHECK(same_bits(out, expected.slice(0, begin, end)));
    }
  }
}

TEST_CASE("kernels: a decode step of many sequences gives each the bits of its own, with one thread and with two") {
  const AttentionShape shape{8, 2, 32};
  const std::vector<std::int32_t> prompts{5, 31, 32, 60, 1};
  const std::int32_t steps = 40;
  std::vector<at::Tensor> qkv;
  std::vector<at::Tensor> expected;
  for (std::size_t s = 0; s < prompts.size(); ++s) {
    qkv.push_back(random_tensor({prompts[s] + steps, shape.fused_width()}, 20 + s));
    expected.push_back(attention_forward(qkv[s], shape, plan_of({prompts[s] + steps})).out_TE);
  }
  for (const int count : {1, 2}) {
    hone::set_threads(count);
    Cache cache(shape, 5, 4);
    std::vector<at::Tensor> rows;
    for (std::size_t s = 0; s < prompts.size(); ++s) rows.push_back(qkv[s].slice(0, 0, prompts[s]));
    cache.append(at::cat(rows, 0), prompts);
    bool equal = true;
    for (std::int32_t step = 0; step < steps; ++step) {
      std::vector<at::Tensor> wanted;
      rows.clear();
      for (std::size_t s = 0; s < prompts.size(); ++s) {
        rows.push_back(qkv[s].slice(0, prompts[s] + step, prompts[s] + step + 1));
        wanted.push_back(expected[s].slice(0, prompts[s] + step, prompts[s] + step + 1));
      }
      equal = equal && same_bits(cache.append(at::cat(rows, 0), {1, 1, 1, 1, 1}), at::cat(wanted, 0));
    }
    hone::set_threads(1);
    CHECK(equal);
  }
}

TEST_CASE("kernels: a step may mix prefill, decode and sequences without new rows") {
  const AttentionShape shape{2, 1, 16};
  const at::Tensor a = random_tensor({41, shape.fused_width()}, 31);
  const at::Tensor b = random_tensor({70, shape.fused_width()}, 32);
  Cache cache(shape, 3, 4);
  cache.append(a.slice(0, 0, 40).contiguous(), {40, 0, 0});
  const at::Tensor out = cache.append(at::cat({a.slice(0, 40), b}, 0), {1, 0, 70});
  CHECK(same_bits(out.slice(0, 0, 1), attention_forward(a, shape, plan_of({41})).out_TE.slice(0, 40)));
  CHECK(same_bits(out.slice(0, 1), attention_forward(b, shape, plan_of({70})).out_TE));
}

TEST_CASE("kernels: a copied page continues a shared prompt on its own") {
  const AttentionShape shape{4, 2, 16};
  const at::Tensor prompt = random_tensor({40, shape.fused_width()}, 41);
  const at::Tensor tail_a = random_tensor({3, shape.fused_width()}, 42);
  const at::Tensor tail_b = random_tensor({3, shape.fused_width()}, 43);
  Cache cache(shape, 2, 3);
  cache.append(prompt, {40, 0});
  // The second sequence shares the full first page and gets a copy of the half-filled second one.
  std::int32_t* table = cache.table().data_ptr<std::int32_t>();
  table[3] = table[0];
  copy_kv_page(cache.pages(), table[1], table[4]);
  AttentionPlan plan = plan_of({3, 3});
  plan.past_S = int_tensor({40, 40});
  plan.page_SN = cache.table();
  const at::Tensor out = attention_cached(at::cat({tail_a, tail_b}, 0), shape, plan, cache.pages());
  const auto whole = [&](const at::Tensor& tail) {
    return attention_forward(at::cat({prompt, tail}, 0), shape, plan_of({43})).out_TE.slice(0, 40);
  };
  CHECK(same_bits(out.slice(0, 0, 3), whole(tail_a)));
  CHECK(same_bits(out.slice(0, 3), whole(tail_b)));
}
