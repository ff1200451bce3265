#include "kernels/rotary/rotary.h"

#include <vector>

#include "kernels/oracle.h"
#include "kernels/rotary/rotary_cpu.h"
#include "support/golden.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

at::Tensor plain_norm(const at::Tensor& head, const at::Tensor& weight, double eps) {
  return head * at::rsqrt(head.square().mean(-1, true) + eps) * weight;
}

/// The definition of Hugging Face: x · cos + rotate_half(x) · sin, with both halves of what is rotated sharing the
/// angles.
at::Tensor plain_rotary(const at::Tensor& qkv, const at::Tensor& position, const AttentionShape& shape,
                        const at::Tensor& table, const at::Tensor& query_weight, const at::Tensor& key_weight,
                        const QkNorm& norm) {
  const std::int64_t rows = qkv.size(0);
  const at::Tensor heads = qkv.reshape({rows, shape.heads + 2 * shape.kv_heads, shape.head_dim});
  at::Tensor q = heads.slice(1, 0, shape.heads);
  at::Tensor k = heads.slice(1, shape.heads, shape.heads + shape.kv_heads);
  if (query_weight.defined()) {
    q = plain_norm(q, query_weight + norm.weight_offset, norm.eps);
    k = plain_norm(k, key_weight + norm.weight_offset, norm.eps);
  }
  const at::Tensor angles = table.to(qkv.scalar_type()).index_select(0, position).unsqueeze(1);
  const at::Tensor cosine = at::cat({angles.select(2, 0), angles.select(2, 0)}, -1);
  const at::Tensor sine = at::cat({angles.select(2, 1), angles.select(2, 1)}, -1);
  const at::Tensor both = at::cat({q, k}, 1);
  const std::int64_t half = table.size(2);
  const at::Tensor x = both.slice(2, 0, 2 * half);
  const at::Tensor turned = at::cat({-x.slice(2, half), x.slice(2, 0, half)}, -1);
  const at::Tensor rotated = at::cat({x * cosine + turned * sine, both.slice(2, 2 * half)}, -1);
  return at::cat({rotated, heads.slice(1, shape.heads + shape.kv_heads)}, 1).reshape({rows, shape.fused_width()});
}

at::Tensor positions_of(std::int64_t rows) {
  std::vector<std::int32_t> position;
  for (std::int64_t t = 0; t < rows; ++t) position.push_back(static_cast<std::int32_t>((t * 7) % 50));
  return int_tensor(position);
}

const std::vector<AttentionShape> shapes{{4, 2, 32}, {3, 1, 8}, {2, 2, 2}, {5, 5, 14}, {2, 1, 66}, {4, 4, 128}};

}  // namespace

TEST_CASE("kernels: rotary with and without norms equals plain operators, forward and backward") {
  for (const AttentionShape& shape : shapes) {
    for (const std::int64_t rows : {0, 1, 70}) {
      for (const bool normed : {false, true}) {
        CAPTURE(shape.head_dim);
        CAPTURE(rows);
        CAPTURE(normed);
        const at::Tensor table = rotary_table(50, shape.head_dim, 10000.0);
        const at::Tensor position = positions_of(rows);
        const at::Tensor qkv = random_tensor({rows, shape.fused_width()}, 1);
        const at::Tensor dout = random_tensor({rows, shape.fused_width()}, 2);
        QkNorm norm;
        if (normed) norm = {random_tensor({shape.head_dim}, 3), random_tensor({shape.head_dim}, 4), 1e-5};
        const at::Tensor x = double_leaf(qkv);
        const at::Tensor wq = normed ? double_leaf(norm.query_weight_D) : at::Tensor();
        const at::Tensor wk = normed ? double_leaf(norm.key_weight_D) : at::Tensor();
        const at::Tensor expected = plain_rotary(x, position, shape, table, wq, wk, norm);

        const Rotated result = rotary_forward(qkv, position, shape, table, norm);
        CHECK(relative_error(result.qkv_TC, expected.detach()) < 1e-5);
        CHECK(result.rstd_TH.defined() == normed);
        at::Tensor dwq = normed ? at::ones({shape.head_dim}) : at::Tensor();
        at::Tensor dwk = normed ? at::ones({shape.head_dim}) : at::Tensor();
        const at::Tensor dqkv = rotary_backward(dout, qkv, result.rstd_TH, position, shape, table, norm, dwq, dwk);
        const auto wanted = gradients(expected, dout, normed ? std::vector{x, wq, wk} : std::vector{x});
        CHECK(relative_error(dqkv, wanted[0]) < 1e-4);
        if (!normed) continue;
        CHECK(relative_error(dwq, wanted[1] + 1) < 1e-4);
        CHECK(relative_error(dwk, wanted[2] + 1) < 1e-4);
      }
    }
  }
}

TEST_CASE("kernels: rotary of the first dimensions leaves the others, with norms whose weights are distances from 1") {
  const std::vector<float> frequency{1.0F, 0.3F, 0.05F, 0.01F, 0.002F};
  for (const AttentionShape& shape : {AttentionShape{3, 1, 10}, {3, 1, 11}, {2, 2, 40}, {2, 1, 80}}) {
    for (const bool normed : {false, true}) {
      CAPTURE(shape.head_dim);
      CAPTURE(normed);
      const at::Tensor table = rotary_table(50, frequency, 1.25);
      const at::Tensor position = positions_of(45);
      const at::Tensor qkv = random_tensor({45, shape.fused_width()}, 1);
      const at::Tensor dout = random_tensor({45, shape.fused_width()}, 2);
      QkNorm norm;
      if (normed) norm = {random_tensor({shape.head_dim}, 3), random_tensor({shape.head_dim}, 4), 1e-5, 1.0};
      const at::Tensor x = double_leaf(qkv);
      const at::Tensor wq = normed ? double_leaf(norm.query_weight_D) : at::Tensor();
      const at::Tensor wk = normed ? double_leaf(norm.key_weight_D) : at::Tensor();
      const at::Tensor expected = plain_rotary(x, position, shape, table, wq, wk, norm);
      const Rotated result = rotary_forward(qkv, position, shape, table, norm);
      CHECK(relative_error(result.qkv_TC, expected.detach()) < 1e-5);
      at::Tensor dwq = normed ? at::zeros({shape.head_dim}) : at::Tensor();
      at::Tensor dwk = normed ? at::zeros({shape.head_dim}) : at::Tensor();
      const at::Tensor dqkv = rotary_backward(dout, qkv, result.rstd_TH, position, shape, table, norm, dwq, dwk);
      const auto wanted = gradients(expected, dout, normed ? std::vector{x, wq, wk} : std::vector{x});
      CHECK(relative_error(dqkv, wanted[0]) < 1e-4);
      if (!normed) continue;
      CHECK(relative_error(dwq, wanted[1]) < 1e-4);
      CHECK(relative_error(dwk, wanted[2]) < 1e-4);
    }
  }
}

TEST_CASE("kernels: without a table nothing is rotated") {
  const AttentionShape shape{2, 1, 7};
  const at::Tensor qkv = random_tensor({5, shape.fused_width()}, 1);
  const at::Tensor position = positions_of(5);
  const Rotated result = rotary_forward(qkv, position, shape, {}, {});
  CHECK(same_bits(result.qkv_TC, qkv));
  at::Tensor none;
  CHECK(same_bits(rotary_backward(qkv, {}, {}, position, shape, {}, {}, none, none), qkv));
}

TEST_CASE("kernels: a rotary table of given frequencies holds their cosines and sines times the factor, rounded once") {
  const std::vector<float> frequency{1.0F, 0.7F, 0.31F, 0.01F, 3e-4F, 2e-5F, 1e-6F, 0.0F, 0.5F};
  const std::int64_t positions = 60000;
  const at::Tensor wave = at::tensor(at::ArrayRef<float>(frequency));
  const at::Tensor angle = (at::arange(positions).to(at::kFloat).unsqueeze(1) * wave).to(at::kDouble);
  for (const double factor : {1.0, 1.25}) {
    const at::Tensor table = rotary_table(positions, frequency, factor);
    for (const auto& [column, exact] : {std::pair(0, at::cos(angle)), std::pair(1, at::sin(angle))}) {
      const at::Tensor expected = exact.to(at::kFloat) * factor;
      const at::Tensor got = table.select(1, column);
      CHECK((got - expected).abs().max().item<float>() < 1.3e-7);
      CHECK((got != expected).sum().item<std::int64_t>() <= 2);  // ties that fall the other way
    }
  }
  const auto compute = [&] { return rotary_table(positions, frequency, 1.1); };
  CHECK(same_bits(with_threads(1, compute), with_threads(2, compute)));
}

TEST_CASE("kernels: a row of rotary has the same bits alone and among others, with one thread and with two") {
  const AttentionShape shape{4, 2, 24};
  const at::Tensor table = rotary_table(50, shape.head_dim, 500000.0);
  const at::Tensor position = positions_of(200);
  const at::Tensor qkv = random_tensor({200, shape.fused_width()}, 5);
  const at::Tensor dout = random_tensor({200, shape.fused_width()}, 6);
  const QkNorm norm{random_tensor({24}, 7), random_tensor({24}, 8), 1e-6};
  const auto compute = [&] {
    const Rotated result = rotary_forward(qkv, position, shape, table, norm);
    at::Tensor dwq = at::zeros({24});
    at::Tensor dwk = at::zeros({24});
    const at::Tensor dqkv = rotary_backward(dout, qkv, result.rstd_TH, position, shape, table, norm, dwq, dwk);
    return std::vector<at::Tensor>{result.qkv_TC, result.rstd_TH, dqkv, dwq, dwk};
  };
  const auto one = with_threads(1, compute);
  const auto two = with_threads(2, compute);
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(same_bits(one[i], two[i]));
  const Rotated alone = rotary_forward(qkv.slice(0, 101, 102), position.slice(0, 101, 102), shape, table, norm);
  CHECK(same_bits(alone.qkv_TC, one[0].slice(0, 101, 102)));
}

TEST_CASE("kernels: every variant of rotary is stable and close to the others") {
  const AttentionShape shape{4, 2, 24};
  const at::Tensor table = rotary_table(50, shape.head_dim, 10000.0);
  const at::Tensor position = positions_of(20);
  const at::Tensor qkv = random_tensor({20, shape.fused_width()}, 9);
  const at::Tensor weight = random_tensor({24}, 10);
  const RotaryArguments arguments{shape.heads,
                                  shape.kv_heads,
                                  shape.head_dim,
                                  shape.head_dim / 2,
                                  position.const_data_ptr<std::int32_t>(),
                                  table.const_data_ptr<float>(),
                                  weight.const_data_ptr<float>(),
                                  weight.const_data_ptr<float>(),
                                  0.0F,
                                  1e-6F};
  at::Tensor narrowest;
  for (const auto& kernel : HONE_VARIANTS(rotary_rows)) {
    const auto compute = [&] {
      at::Tensor out = at::empty_like(qkv);
      at::Tensor rstd = at::empty({20, 6});
      kernel(arguments, qkv.const_data_ptr<float>(), 0, 20, out.data_ptr<float>(), rstd.data_ptr<float>());
      return out;
    };
    const at::Tensor out = compute();
    CHECK(same_bits(out, compute()));
    if (!narrowest.defined()) narrowest = out;
    CHECK(relative_error(out, narrowest) < 1e-6);
  }
}

TEST_CASE("kernels: the rotary table holds the published frequencies") {
  HONE_NEEDS_TEST_DATA(folder);
  const hone::Json golden = golden_case(folder, "rope.json", "default");
  const at::Tensor table = rotary_table(2, 128, golden.at("inputs").at("theta").as_number());
  const auto& expected = golden.at("expected").as_array();
  REQUIRE(expected.size() == 64);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto at_one = table.select(0, 1).select(1, static_cast<std::int64_t>(i));
    const double angle = std::atan2(at_one[1].item<double>(), at_one[0].item<double>());
    CHECK(angle == doctest::Approx(expected[i].as_number()).epsilon(1e-4));
  }
}
