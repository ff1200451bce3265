#include "report/samples.h"

#include <fmt/format.h>

#include "report/progress.h"

namespace hone {

namespace {

constexpr std::size_t text_column = 14;
constexpr std::size_t most_shown = 600;  // code points of one text
constexpr const char* dim = "\x1b[2m";
constexpr const char* plain = "\x1b[0m";

std::string labelled(std::string_view label, std::string_view text, bool colour) {
  const std::string padded = fmt::format("  {:<{}}", label, text_column - 2);
  return colour ? fmt::format("{}{}{}{}\n", dim, padded, plain, text) : fmt::format("{}{}\n", padded, text);
}

std::string shown(std::string_view text) { return harmless(text, text_column, most_shown); }

std::string prompt_text(const Prompt& prompt, bool colour) {
  if (prompt.messages.empty()) return labelled("prompt", shown(prompt.text), colour);
  std::string text;
  for (const Message& message : prompt.messages) text += labelled(shown(message.role), shown(message.content), colour);
  return text;
}

std::string score_text(const Score& score) {
  if (score.status != ScoreStatus::ok) {
    return fmt::format("{}: {}", score.status == ScoreStatus::error ? "failed" : "abstained", shown(score.note));
  }
  std::string text = format_metric(score.value);
  for (const auto& [part, value] : score.parts) text += fmt::format("  {} {}", part, format_metric(value));
  if (!score.note.empty()) text += "  " + shown(score.note);
  return text;
}

}  // namespace

std::string harmless(std::string_view text, std::size_t indent, std::size_t most) {
  const std::string kept = cut(text, most);
  std::string result;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto byte = static_cast<unsigned char>(kept[i]);
    const auto next = static_cast<unsigned char>(i + 1 < kept.size() ? kept[i + 1] : 0);
    if (byte == '\n') {
      result += '\n' + std::string(indent, ' ');
    } else if (byte == '\t') {
      result += "    ";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // U+0080 … U+009F, control characters too
      result += fmt::format("\\x{:02x}", next);
      ++i;
    } else {
      result += kept[i];
    }
  }
  return result;
}

std::string samples_text(std::string_view title, std::span<const Episode> episodes, bool colour) {
  std::string text = fmt::format("{}\n", title);
  for (const Episode& episode : episodes) {
    text += "\n" + prompt_text(episode.prompt, colour);
    for (const Turn& turn : episode.turns) {
      const bool truncated = turn.completion.finish == FinishReason::length;
      text += labelled("completion", shown(turn.completion.text) + (truncated ? " (cut off)" : ""), colour);
      if (!turn.reply.empty()) text += labelled("reply", shown(turn.reply), colour);
    }
    text += labelled("reward", score_text(episode.score), colour);
  }
  return text;
}

}  // namespace hone
