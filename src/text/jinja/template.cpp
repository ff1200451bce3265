#include "text/jinja/template.h"

#include "text/jinja/parser.h"

namespace hone::jinja {

Template::Template(std::string_view source, std::string where, Limits limits)
    : where_(std::move(where)), limits_(limits), program_(parse(source, where_, limits)) {}

Rendered Template::render(const std::tm& now, const std::function<void(Runtime&, Renderer&)>& set_inputs) const {
  Runtime runtime(where_, limits_, now);
  Renderer renderer(runtime, *program_);
  set_inputs(runtime, renderer);
  TextBuilder& out = renderer.render();
  Rendered rendered;
  rendered.marks = out.marks();
  rendered.text = out.take_bytes();
  return rendered;
}

}  // namespace hone::jinja
