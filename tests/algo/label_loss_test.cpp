#include "algo/label_loss.h"

#include <cmath>

#include "algo/loss_rows.h"
#include "algo/packed.h"
#include "support/error_of.h"

using namespace hone;
using namespace hone::test;

namespace {

double logistic_loss(double z) { return std::log1p(std::exp(-z)); }

}  // namespace

TEST_CASE("algo: cross-entropy of the golden token case") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto golden = golden_case(folder, "rl_losses.json", "nll_correct");
  const auto labels = tensor_of(golden.at("inputs").at("labels")).to(at::kLong);
  const auto vocabulary = golden.at("inputs").at("vocab").as_integer();
  // Row t predicts label t + 1; the mask moves with it, and the last row predicts nothing.
  const auto mask =
      at::cat({tensor_of(golden.at("inputs").at("token_mask")).narrow(0, 1, 3), at::zeros({1}, at::kDouble)});
  const auto rows = loss_rows(Aggregation::token_mean, starts_of({4}), mask, mask.sum().item<double>());
  const auto target = rows.select(at::cat({labels.narrow(0, 1, 3), at::zeros({1}, at::kLong)}));
  const auto loss_when = [&](const at::Tensor& hot) {
    const auto logits = at::one_hot(hot, vocabulary).to(at::kFloat) * 999;
    return classification_loss(rows.select(logits), target, {}, 2).item<double>();
  };
  const auto hot = tensor_of(golden.at("inputs").at("logits_rows_onehot_999_at")).to(at::kLong);
  const auto last = at::zeros({1}, at::kLong);
  CHECK(loss_when(at::cat({hot, last})) == golden.at("expected").at("loss_correct_prediction").as_number());
  CHECK(loss_when(labels) == golden.at("expected").at("loss_predicting_previous").as_number());
}

TEST_CASE("algo: class weights weigh rows, and the denominator makes it a weighted mean") {
  const auto logits = leaf(numbers({0, 1, 2, 0}).view({2, 2})), target = at::tensor(std::vector<int>{1, 1});
  CHECK(classification_loss(logits, target, {}, class_denominator(target, {})).item<double>() ==
        doctest::Approx((logistic_loss(1) + logistic_loss(-2)) / 2));
  const auto labels = at::tensor(std::vector<int>{0, 1}), weight = numbers({3, 1});
  CHECK(class_denominator(labels, weight) == 4.0);
  const auto loss = classification_loss(logits, labels, weight, class_denominator(labels, weight));
  CHECK(loss.item<double>() == doctest::Approx((3 * logistic_loss(-1) + logistic_loss(-2)) / 4));
  loss.backward();
  CHECK(logits.grad().sum(1).abs().max().item<double>() < 1e-15);
}

TEST_CASE("algo: label smoothing gives every class a share, weighted as the classes are") {
  const auto logits = leaf(numbers({1, 0, -1}).view({1, 3})), target = at::tensor(std::vector<int>{2});
  const auto loss_C = -logits.log_softmax(1).squeeze(0);
  const auto loss = [&](const at::Tensor& weight, double smoothing) {
    return classification_loss(logits, target, weight, 1, smoothing).item<double>();
  };
  CHECK(loss({}, 0.3) == doctest::Approx((0.7 * loss_C[2] + 0.1 * loss_C.sum()).item<double>()));
  const auto weight = numbers({2, 1, 3});
  CHECK(loss(weight, 0.3) == doctest::Approx((0.7 * 3 * loss_C[2] + 0.1 * (weight * loss_C).sum()).item<double>()));
  CHECK(loss({}, 0) == doctest::Approx(loss_C[2].item<double>()));
}

TEST_CASE("algo: several labels at once are a logistic loss each") {
  const auto logits = leaf(numbers({1, -2, 0.5, 3}).view({2, 2})), target = numbers({1, 0, 0, 1}).view({2, 2});
  const double plain = logistic_loss(1) + logistic_loss(2) + logistic_loss(-0.5) + logistic_loss(3);
  CHECK(multi_label_loss(logits, target, {}, 4).item<double>() == doctest::Approx(plain / 4));
  CHECK(multi_label_loss(logits, target, numbers({5, 1}), 4).item<double>() ==
        doctest::Approx((plain + 4 * logistic_loss(1)) / 4));
  const auto loss = multi_label_loss(logits, target, {}, 1);
  loss.backward();
  CHECK(gap(logits.grad(), logits.sigmoid() - target) < 1e-12);
}

TEST_CASE("algo: the places of an answer are chosen within its sequence") {
  const auto logits = leaf(numbers({1, 2, 0, -1, 3, 0, 900, 5, 901, 6}).view({5, 2}));
  const auto spans = at::tensor(std::vector<std::int64_t>{0, 2, 4, 3}).view({2, 2});
  const auto starts = starts_of({3, 2});
  const auto first = logits.narrow(0, 0, 3).log_softmax(0), second = logits.narrow(0, 3, 2).log_softmax(0);
  const auto expected = -(first[0][0] + first[2][1] + second[1][0] + second[0][1]) / 2;
  const auto loss = span_loss(logits, spans, starts, 2);
  CHECK(loss.item<double>() == doctest::Approx((expected / 2).item<double>()));
  loss.backward();
  CHECK(logits.grad().abs().max().item<double>() < 1);
  CHECK(logits.grad().narrow(0, 3, 2).sum(0).abs().max().item<double>() < 1e-12);
  HONE_CHECK_ERROR(data, span_loss(logits, spans, starts, 0), "no row");
}

TEST_CASE("algo: pair loss falls with the margin won and asks for the margin wanted") {
  const auto chosen = leaf(numbers({2, 0})), rejected = leaf(numbers({1, 3}));
  const auto loss = bradley_terry_loss(chosen, rejected, {}, 2);
  CHECK(loss.item<double>() == doctest::Approx((logistic_loss(1) + logistic_loss(-3)) / 2));
  loss.backward();
  CHECK(gap(chosen.grad(), -rejected.grad()) < 1e-15);
  CHECK(chosen.grad()[0].item<double>() == doctest::Approx(-1 / (1 + std::exp(1)) / 2));
  CHECK(bradley_terry_loss(chosen, rejected, numbers({.5, 0}), 2).item<double>() ==
        doctest::Approx((logistic_loss(.5) + logistic_loss(-3)) / 2));
  CHECK(bradley_terry_loss(chosen, chosen, {}, 2).item<double>() == doctest::Approx(std::log(2)));
}

TEST_CASE("algo: the one-logit loss equals two-class cross-entropy and stays finite far out") {
  const auto z = numbers({-3, .5, 2}), label = numbers({0, 1, 0});
  const auto two = at::stack({at::zeros_like(z), z}, 1);
  CHECK(binary_logistic_loss(z, label, 3).item<double>() ==
        doctest::Approx(classification_loss(two, label.to(at::kLong), {}, 3).item<double>()));
  CHECK(binary_logistic_loss(numbers({1000, -1000}), numbers({0, 1}), 1).item<double>() == doctest::Approx(2000));
}

TEST_CASE("algo: squared error, and no rows is an error") {
  CHECK(squared_error_loss(numbers({1, 4}), numbers({0, 2}), 2).item<double>() == 2.5);
  HONE_CHECK_ERROR(data, squared_error_loss(numbers({}), numbers({}), 0), "no row of the minibatch");
}

TEST_CASE("algo: several scores a row count where they are known, by their weights") {
  const double unknown = std::nan("");
  const auto value = leaf(numbers({1, 4, 2, 0}).view({2, 2})), target = numbers({0, unknown, 5, 3}).view({2, 2});
  const auto weight = at::tensor(std::vector<float>{1, 2});
  CHECK(attribute_denominator(target, weight) == 4);
  const auto loss = attribute_loss(value, target, weight, 4);
  CHECK(loss.item<double>() == doctest::Approx((1 + 9 + 2 * 9) / 4.0));
  loss.backward();
  CHECK(gap(value.grad(), numbers({2, 0, -6, -12}).view({2, 2}) / 4) < 1e-12);  // nothing flows from what is not known
  const auto all = numbers({0, 1, 5, 3}).view({2, 2}), one = at::tensor(std::vector<float>{1, 1});
  CHECK(attribute_loss(value, all, one, attribute_denominator(all, one)).item<double>() ==
        doctest::Approx(at::mse_loss(value, all).item<double>()));
  HONE_CHECK_ERROR(data, attribute_loss(value, target * unknown, weight, 0), "no row of the minibatch");
}

TEST_CASE("algo: pairs count in each respect on the side that is said") {
  const auto chosen = leaf(numbers({2, 0, 1, 1}).view({2, 2})), rejected = leaf(numbers({1, 3, 0, 5}).view({2, 2}));
  const auto side = numbers({0.5, -2, 0, std::nan("")}).view({2, 2}), weight = at::tensor(std::vector<float>{1, 3});
  CHECK(respect_denominator(side, weight) == 4);
  const auto loss = respect_loss(chosen, rejected, side, weight, 4);
  CHECK(loss.item<double>() == doctest::Approx((logistic_loss(1) + 3 * logistic_loss(3)) / 4));
  loss.backward();
  CHECK(chosen.grad()[1].abs().max().item<double>() == 0);
  CHECK(gap(chosen.grad(), -rejected.grad()) < 1e-15);
  const auto first = chosen.select(1, 0), second = rejected.select(1, 0), ones = at::ones({2, 1}, at::kDouble);
  CHECK(respect_loss(first.unsqueeze(1), second.unsqueeze(1), ones, at::ones({1}), 2).item<double>() ==
        doctest::Approx(bradley_terry_loss(first, second, {}, 2).item<double>()));
}
