#include "algo/label_metrics.h"

#include "algo/packed.h"

using namespace hone;
using namespace hone::test;

namespace {

at::Tensor matrix_of(const Json& golden, std::int64_t classes) {
  const auto& inputs = golden.at("inputs");
  return confusion_matrix(tensor_of(inputs.at("preds")).to(at::kLong), tensor_of(inputs.at("target")).to(at::kLong),
                          classes);
}

}  // namespace

TEST_CASE("algo: accuracy, recall and the confusion matrix of the golden cases") {
  HONE_NEEDS_TEST_DATA(folder);
  const auto binary = golden_case(folder, "class_reg_metrics.json", "bin_acc");
  CHECK(label_metrics(matrix_of(binary, 2)).accuracy ==
        doctest::Approx(binary.at("expected").as_number()).epsilon(1e-4));
  const auto several = golden_case(folder, "class_reg_metrics.json", "mc_acc");
  CHECK(label_metrics(matrix_of(several, 3)).recall ==
        doctest::Approx(several.at("expected").at("macro").as_number()).epsilon(1e-4));
  const auto matrix = golden_case(folder, "class_reg_metrics.json", "bin_confmat");
  CHECK(gap(matrix_of(matrix, 2), tensor_of(matrix.at("expected"))) == 0.0);
}

TEST_CASE("algo: macro precision, recall and F1 by hand") {
  // labels 0 0 0 1 1, predictions 0 0 1 1 0; class 2 never occurs and does not count
  const auto label = at::tensor(std::vector<std::int64_t>{0, 0, 0, 1, 1});
  const auto predicted = at::tensor(std::vector<std::int64_t>{0, 0, 1, 1, 0});
  const auto metrics = label_metrics(confusion_matrix(predicted, label, 3));
  CHECK(metrics.accuracy == doctest::Approx(3 / 5.));
  CHECK(metrics.precision == doctest::Approx((2 / 3. + 1 / 2.) / 2));
  CHECK(metrics.recall == doctest::Approx((2 / 3. + 1 / 2.) / 2));
  CHECK(metrics.f1 == doctest::Approx((2 / 3. + 1 / 2.) / 2));
}

TEST_CASE("algo: a class never predicted has precision 0, and nothing gives 0") {
  const auto label = at::tensor(std::vector<std::int64_t>{0, 1}), predicted = at::zeros({2}, at::kLong);
  const auto metrics = label_metrics(confusion_matrix(predicted, label, 2));
  CHECK(metrics.precision == .25);
  CHECK(metrics.recall == .5);
  CHECK(metrics.f1 == doctest::Approx(1 / 3.));
  CHECK(label_metrics(at::zeros({2, 2}, at::kLong)).accuracy == 0.0);
}
