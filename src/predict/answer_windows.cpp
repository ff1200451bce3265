#include "predict/answer_windows.h"

#include <algorithm>

#include "base/error.h"

namespace hone {
namespace {

void append(AnswerWindow& window, std::span<const std::int32_t> ids, std::int32_t type) {
  window.ids.insert(window.ids.end(), ids.begin(), ids.end());
  window.type_ids.resize(window.ids.size(), type);
}

}  // namespace

std::vector<AnswerWindow> answer_windows(std::span<const std::int32_t> question, std::span<const std::int32_t> context,
                                         const PairTemplate& around, std::size_t max_length, std::size_t stride) {
  const std::size_t fixed = around.before.size() + question.size() + around.between.size() + around.behind.size();
  const std::size_t room = max_length > fixed ? max_length - fixed : 0;
  if (context.size() > room && room <= stride) {
    fail(ErrorKind::data,
         "the question has {} tokens, which leaves {} of {} for the context, expected more than the stride of {}: "
         "ask a shorter question or lower the stride",
         question.size(), room, max_length, stride);
  }
  std::vector<AnswerWindow> windows;
  for (std::size_t first = 0;; first += room - stride) {
    AnswerWindow window{.first_token = first, .tokens = std::min(room, context.size() - first)};
    append(window, around.before, 0);
    append(window, question, 0);
    append(window, around.between, 0);
    window.context_begin = window.ids.size();
    append(window, context.subspan(first, window.tokens), around.two_types ? 1 : 0);
    append(window, around.behind, around.two_types ? 1 : 0);
    windows.push_back(std::move(window));
    if (first + windows.back().tokens == context.size()) return windows;
  }
}

}  // namespace hone
