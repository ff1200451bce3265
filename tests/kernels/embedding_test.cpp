#include "kernels/embedding/embedding.h"

#include <vector>

#include "kernels/oracle.h"
#include "support/error_of.h"

namespace {

using namespace hone::kernels;
using namespace hone::test;

at::Tensor ids_of(std::int64_t rows, std::int32_t vocabulary) {
  hone::Random random(hone::stream_key(1, "ids"));
  std::vector<std::int32_t> id;
  for (std::int64_t t = 0; t < rows; ++t) {
    id.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
  }
  return int_tensor(id);
}

}  // namespace

TEST_CASE("kernels: embedding picks rows, and its gradient adds to the rows picked") {
  for (const std::int64_t rows : {0, 1, 300}) {
    for (const std::int64_t width : {1, 19, 64, 130}) {
      CAPTURE(rows);
      CAPTURE(width);
      const at::Tensor weight = random_tensor({23, width}, 2);
      const at::Tensor id = ids_of(rows, 23);
      CHECK(same_bits(embedding_forward(id, weight), weight.index_select(0, id)));
      const at::Tensor dout = random_tensor({rows, width}, 3);
      at::Tensor dweight = at::ones({23, width});
      embedding_backward(dout, id, dweight);
      const at::Tensor expected = at::ones({23, width}, at::kDouble).index_add(0, id, dout.to(at::kDouble));
      CHECK(relative_error(dweight, expected) < 1e-5);
    }
  }
}

TEST_CASE("kernels: embedding's gradient has the same bits with one thread and with two") {
  const at::Tensor id = ids_of(500, 7);
  const at::Tensor dout = random_tensor({500, 200}, 4);
  const auto compute = [&] {
    at::Tensor dweight = at::zeros({7, 200});
    embedding_backward(dout, id, dweight);
    return dweight;
  };
  CHECK(same_bits(with_threads(1, compute), with_threads(2, compute)));
}

TEST_CASE("kernels: embedding names the first id outside the vocabulary") {
  const at::Tensor weight = random_tensor({10, 4}, 5);
  HONE_CHECK_ERROR(data, embedding_forward(int_tensor({0, 9, 10, -1}), weight), "token 2", "id 10", "[0, 10)");
  HONE_CHECK_ERROR(data, embedding_forward(int_tensor({-5}), weight), "token 0", "id -5");
}
