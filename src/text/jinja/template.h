#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/limits.h"
#include "text/jinja/print.h"
#include "text/jinja/renderer.h"

namespace hone::jinja {

struct Rendered {
  std::string text;
  std::vector<Mark> marks;  ///< in order, without overlap: which bytes came from data, which stood in {% generation %}
};

/// A template of Jinja2 as Hugging Face's transformers compiles them: trim_blocks, lstrip_blocks, loop controls, the
/// generation tag, an immutable sandbox. Immutable: several threads may render it at once.
class Template {
 public:
  /// Error{data} that names `where`, the line and what is wrong.
  explicit Template(std::string_view source, std::string where, Limits limits = {});

  /// `set_inputs` gives the template its variables. Error{data} that names line and reason: whatever Jinja2 would raise,
  /// what raise_exception says, or a limit.
  Rendered render(const std::tm& now, const std::function<void(Runtime&, Renderer&)>& set_inputs) const;

  /// Whether it has {% generation %} tags.
  bool marks_generation() const { return program_->marks_generation; }

 private:
  std::string where_;
  Limits limits_;
  std::shared_ptr<const Program> program_;
};

}  // namespace hone::jinja
