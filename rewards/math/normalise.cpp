#include "rewards/math/normalise.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hone::math {

namespace {

using Replacement = std::pair<std::string_view, std::string_view>;

// From Unicode to LaTeX or ASCII.
constexpr Replacement signs[] = {
    {"−", "-"},
    {"–", "-"},
    {"×", "\\times "},
    {"·", "\\cdot "},
    {"⋅", "\\cdot "},
    {"∙", "\\cdot "},
    {"÷", "/"},
    {"⁄", "/"},
    {"π", "\\pi "},
    {"∞", "\\infty "},
    {"√", "\\sqrt "},
    {"°", "\\degree "},
    {"≤", "\\le "},
    {"≥", "\\ge "},
    {"≠", "\\ne "},
    {"≈", "\\approx "},
    {"≡", "\\equiv "},
    {"±", "\\pm "},
    {"∓", "\\mp "},
    {"∪", "\\cup "},
    {"∈", "\\in "},
    {"∅", "\\emptyset "},
    {"²", "^2"},
    {"³", "^3"},
    {"½", "\\frac{1}{2}"},
    {"⅓", "\\frac{1}{3}"},
    {"⅔", "\\frac{2}{3}"},
    {"¼", "\\frac{1}{4}"},
    {"¾", "\\frac{3}{4}"},
    {"α", "\\alpha "},
    {"β", "\\beta "},
    {"γ", "\\gamma "},
    {"θ", "\\theta "},
    {"λ", "\\lambda "},
    {"μ", "\\mu "},
    {"σ", "\\sigma "},
    {"φ", "\\phi "},
    {"ω", "\\omega "},
    {"ℝ", "\\mathbb{R}"},
    {"ℤ", "\\mathbb{Z}"},
    {"’", "'"},
    {"′", "'"},
    {"€", ""},
    {"£", ""},
    {"\u00a0", " "},
    {"\u2009", " "},
    {"\u202f", " "},
    {"｜", "|"},
    {"，", ", "},
};

// In this order: what a line makes is seen by the lines below.
constexpr Replacement spellings[] = {
    {"\\\\", "\\cr "},
    {"\\!", ""},
    {"{,}", ","},
    {"\\$", ""},
    {"\\%", "%"},
    {"\\,", " "},
    {"\\;", " "},
    {"\\:", " "},
    {"\\ ", " "},
    {"~", " "},
    {"\\qquad", " "},
    {"\\quad", " "},
    {"\\displaystyle", ""},
    {"\\limits", ""},
    {"\\dfrac", "\\frac"},
    {"\\tfrac", "\\frac"},
    {"\\cfrac", "\\frac"},
    {"\\dbinom", "\\binom"},
    {"\\tbinom", "\\binom"},
    {"^{\\circ}", "\\degree "},
    {"^ \\circ", "\\degree "},
    {"^\\circ", "\\degree "},
    {"^{\\degree}", "\\degree "},
    {"^{\\prime}", "'"},
    {"^\\prime", "'"},
    {"\\lbrace", "\\{"},
    {"\\rbrace", "\\}"},
    {"\\lbrack", "["},
    {"\\rbrack", "]"},
    {"\\lvert", "|"},
    {"\\rvert", "|"},
    {"\\vert", "|"},
    {"\\mleft", ""},
    {"\\mright", ""},
    {"\\Bigl", ""},
    {"\\Bigr", ""},
    {"\\bigl", ""},
    {"\\bigr", ""},
    {"\\Big", ""},
    {"\\(", ""},
    {"\\)", ""},
    {"\\[", ""},
    {"\\]", ""},
    {"$", ""},
    {"**", "^"},
    {"≅", "\\cong "},
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Removes a command, and the full stop of an invisible bracket after it (`\right.`); \leftarrow is another command.
void remove_command(std::string& text, std::string_view command) {
  for (std::size_t at = text.find(command); at != std::string::npos; at = text.find(command, at)) {
    std::size_t end = at + command.size();
    if (end < text.size() && is_letter(text[end])) {
      at = end;
      continue;
    }
    if (end < text.size() && text[end] == '.') ++end;
    text.erase(at, end - at);
  }
}

void squeeze(std::string& text) {
  std::string squeezed;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      squeezed += c;
    } else if (!squeezed.empty() && squeezed.back() != ' ') {
      squeezed += ' ';
    }
  }
  while (!squeezed.empty() && squeezed.back() == ' ') squeezed.pop_back();
  text = std::move(squeezed);
}

/// `\boxed{…}` around the whole text.
void unbox(std::string& text) {
  constexpr std::string_view box = "\\boxed{";
  if (!text.starts_with(box) || text.back() != '}') return;
  int depth = 0;
  for (std::size_t i = box.size() - 1; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
    if (depth == 0 && i + 1 < text.size()) return;
  }
  text = text.substr(box.size(), text.size() - box.size() - 1);
}

}  // namespace

std::string normalised(std::string_view original) {
  std::string text(original);
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    for (const auto& [from, to] : signs) replace_all(text, from, to);
  }
  if (text.find_first_of("\\$~*{≅") != std::string::npos) {
    remove_command(text, "\\left");
    remove_command(text, "\\right");
    for (const auto& [from, to] : spellings) replace_all(text, from, to);
  }
  replace_all(text, " x 10^", " \\times 10^");
  squeeze(text);
  unbox(text);
  squeeze(text);
  while (!text.empty() && (text.back() == '.' || text.back() == ',' || text.back() == ';' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

}  // namespace hone::math
