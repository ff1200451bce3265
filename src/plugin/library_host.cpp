#include <charconv>

#include "base/error.h"
#include "base/random.h"
#include "base/utf8.h"
#include "plugin/library_call.h"

/// The host's side of hone/plugin.h: every function here is called by a plug-in, from any of its threads.
namespace hone {

namespace {

std::string_view view(hone_text text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}

std::string valid(hone_text text) { return valid_utf8(view(text)); }

void host_log(hone_call* call, std::int32_t level, hone_text text) {
  const auto& log = call->settings().log;
  const LogLevel grade = level == HONE_LOG_ERROR  ? LogLevel::error
                         : level == HONE_LOG_WARN ? LogLevel::warn
                                                  : LogLevel::info;
  if (log) log(grade, valid(text));
}

void host_metric(hone_call* call, hone_text name, double value) {
  const auto& metric = call->settings().metric;
  if (metric) metric(valid(name), value);
}

std::int32_t host_cancelled(hone_call* call) {
  const auto& cancelled = call->settings().cancelled;
  return cancelled && cancelled() ? 1 : 0;
}

std::uint64_t host_random(std::uint64_t seed, std::uint64_t counter) { return Random(seed, counter).next64(); }

hone_text host_config(hone_call* call, hone_text key) {
  for (const auto& [known, value] : call->settings().config) {
    if (known == view(key)) return {value.c_str(), value.size()};
  }
  return {nullptr, 0};
}

const Json* member_of(const Json& json, std::string_view key) {
  if (!json.is_array()) return json.find(key);
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool number = error == std::errc() && end == key.data() + key.size();
  return number && index < json.as_array().size() ? &json.as_array()[index] : nullptr;
}

hone_text host_json_member(hone_call* call, hone_text json, hone_text key) {
  try {
    const Json value = Json::parse(view(json), "json_member");
    const Json* member = member_of(value, view(key));
    if (member != nullptr) return call->keep(member->is_string() ? member->as_string() : member->dump());
  } catch (const Error&) {  // not JSON: there is no such member
  }
  return {nullptr, 0};
}

void host_fail(hone_call* call, hone_text why) { call->set_failure(valid(why)); }

void host_score(hone_call* call, std::uint64_t item, double value) { call->set_verdict(item, {.value = value}); }

void host_abstain(hone_call* call, std::uint64_t item, hone_text why) {
  call->set_verdict(item, Score::abstain(valid(why)));
}

void host_error(hone_call* call, std::uint64_t item, hone_text why) {
  call->set_verdict(item, Score::error(why.size == 0 ? "the plug-in did not say why" : valid(why)));
}

void host_note(hone_call* call, std::uint64_t item, hone_text text) { call->add_note(item, valid(text)); }

void host_part(hone_call* call, std::uint64_t item, hone_text name, double value) {
  call->add_part(item, valid(name), value);
}

void host_span(hone_call* call, std::uint64_t item, std::int64_t turn, std::int64_t end_token, double value) {
  call->add_span(item, {.turn = turn, .end_token = end_token, .value = value});
}

void host_prompt_text(hone_call* call, hone_text text) {
  call->prompt.prompt.text = valid(text);
  call->prompt_given = true;
}

void host_prompt_message(hone_call* call, hone_text role, hone_text content) {
  call->prompt.prompt.messages.push_back({valid(role), valid(content)});
  call->prompt_given = true;
}

void host_prompt_reference(hone_call* call, hone_text json) {
  try {
    call->prompt.prompt.reference = Json::parse(view(json), "the reference");
  } catch (const Error& error) {
    call->set_flaw(error.what());
  }
}

void host_prompt_demonstration(hone_call* call, hone_text text) { call->prompt.demonstration = valid(text); }

void host_reply(hone_call* call, hone_text text) {
  call->step.done = false;
  call->step.reply = valid(text);
}

void host_turn_reward(hone_call* call, double value) { call->step.reward = value; }

void host_state(hone_call* call, const void* bytes, std::uint64_t size) {
  if (size > 0) call->state.append(static_cast<const char*>(bytes), size);
}

}  // namespace

const hone_host& library_host() {
  static const hone_host host{.size = sizeof(hone_host),
                              .abi = HONE_PLUGIN_ABI,
                              .reserved = 0,
                              .log = host_log,
                              .metric = host_metric,
                              .cancelled = host_cancelled,
                              .random = host_random,
                              .config = host_config,
                              .json_member = host_json_member,
                              .fail = host_fail,
                              .score = host_score,
                              .abstain = host_abstain,
                              .error = host_error,
                              .note = host_note,
                              .part = host_part,
                              .span = host_span,
                              .prompt_text = host_prompt_text,
                              .prompt_message = host_prompt_message,
                              .prompt_reference = host_prompt_reference,
                              .prompt_demonstration = host_prompt_demonstration,
                              .reply = host_reply,
                              .turn_reward = host_turn_reward,
                              .state = host_state};
  return host;
}

}  // namespace hone
