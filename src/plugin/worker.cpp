#include "plugin/worker.h"

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "plugin/wire.h"

namespace hone {

namespace {

constexpr double end_seconds = 0.5;  // to end by itself when its stdin is closed
constexpr std::size_t quoted = 120;  // bytes of what it said, in errors

Json hello_for(const WorkerSpec& spec) {
  Json hello = Json::object();
  hello.set("protocol", plugin_protocol);
  hello.set("name", spec.name);
  hello.set("kind", spec.kind);
  hello.set("seed", static_cast<std::int64_t>(spec.seed >> 11));
  hello.set("config", spec.config);
  Json line = Json::object();
  line.set("hello", std::move(hello));
  return line;
}

std::string quote(std::string_view text) {
  return valid_utf8(text.substr(0, quoted)) + (text.size() > quoted ? "…" : "");
}

void check_hello(const Json& hello, const WorkerSpec& spec) {
  const std::int64_t protocol = hello.at("protocol").as_integer();
  if (protocol != plugin_protocol) {
    fail(ErrorKind::service, "it speaks protocol {}, this hone speaks {}; use the plug-in's other version, or update hone",
         protocol, plugin_protocol);
  }
  const std::string& kind = hello.at("kind").as_string();
  if (kind != spec.kind) fail(ErrorKind::service, "expected a plug-in of kind {}, got {}", spec.kind, kind);
}

}  // namespace

PluginWorker::PluginWorker(const WorkerSpec& spec)
    : name_(spec.name), io_(spec.name, spec.process, spec.max_reply_bytes) {
  const std::string what = fmt::format("{} {} (command: {})", spec.kind, spec.name, spec.process.command.front());
  io_.send(hello_for(spec).dump() + "\n");
  const Deadline deadline = seconds_from_now(spec.start_seconds);
  const Result first = next_message(deadline, "to start");
  if (const auto* failure = std::get_if<PluginFailure>(&first)) fail(ErrorKind::service, "{}: {}", what, failure->why);
  const Json& message = std::get<Json>(first);
  if (const Json* why = message.find("error")) {
    fail(ErrorKind::service, "{}: {}", what, why->is_string() ? why->as_string() : why->dump());
  }
  const Json* hello = message.find("hello");
  if (hello == nullptr) {
    fail(ErrorKind::service, "{}: expected its hello, got: {}; see docs/plugins.md", what, quote(message.dump()));
  }
  hello_ = *hello;
  try {
    check_hello(hello_, spec);
  } catch (const Error& error) {
    fail(ErrorKind::service, "{}: {}", what, error.what());
  }
}

PluginWorker::~PluginWorker() {
  if (!broken_) io_.finish(end_seconds);
}

PluginWorker::Result PluginWorker::fail_broken(std::string why, std::string reason) {
  broken_ = true;
  return PluginFailure{std::move(why), std::move(reason)};
}

/// Whether a message is no reply: a line for the log, or figures.
bool PluginWorker::aside(const Json& message) {
  if (const Json* text = message.find("log"); text != nullptr && text->is_string()) {
    const Json* level = message.find("level");
    const std::string grade = level != nullptr && level->is_string() ? level->as_string() : "info";
    const LogLevel to = grade == "error" ? LogLevel::error : (grade == "warn" ? LogLevel::warn : LogLevel::info);
    log_message(to, fmt::format("{}: {}", name_, text->as_string()));
    return true;
  }
  const Json* figures = message.find("metric");
  if (figures == nullptr) return false;
  for (const auto& [name, value] : figures->as_object()) metrics_.emplace_back(name, value.as_number());
  return true;
}

PluginWorker::Result PluginWorker::next_message(Deadline deadline, std::string_view doing) {
  while (true) {
    switch (io_.wait(deadline)) {
      case ProcessIo::Event::line: break;
      case ProcessIo::Event::ended: return fail_broken(io_.ending(), "crash");
      case ProcessIo::Event::late: return fail_broken(fmt::format("took too long {}{}", doing, io_.last_lines()), "timeout");
      case ProcessIo::Event::stopped: return fail_broken("hone is stopping", "stopped");
      case ProcessIo::Event::long_line: return fail_broken("a line of its replies is longer than max_reply", "protocol");
    }
    if (io_.line().empty()) continue;
    try {
      Json message = Json::parse(io_.line(), "a reply");
      if (!message.is_object()) fail(ErrorKind::data, "expected a map");
      if (!aside(message)) return message;
    } catch (const Error& error) {
      return fail_broken(fmt::format("its reply is not JSON of the protocol ({}): {}", error.what(), quote(io_.line())),
                         "protocol");
    }
  }
}

PluginWorker::Result PluginWorker::call(std::string_view key, Json::Array items, Deadline deadline) {
  const std::size_t expected = items.size();
  Json request = Json::object();
  request.set("id", ++last_id_);
  request.set(std::string(key), Json(std::move(items)));
  io_.send(request.dump() + "\n");
  while (true) {
    Result result = next_message(deadline, "to reply");
    if (std::holds_alternative<PluginFailure>(result)) return result;
    const Json& message = std::get<Json>(result);
    const Json* id = message.find("id");
    if (id == nullptr || !id->is_integer() || id->as_integer() > last_id_) {
      return fail_broken("a reply to nothing that was asked: " + quote(message.dump()), "protocol");
    }
    if (id->as_integer() < last_id_) {
      log_warn("{}: a second reply to request {} is ignored", name_, id->as_integer());
      continue;
    }
    if (const Json* why = message.find("error")) {
      return PluginFailure{why->is_string() ? why->as_string() : why->dump(), "exception"};
    }
    const Json* answers = message.find(key == "score" ? "scores" : key);
    if (answers == nullptr || !answers->is_array()) {
      return fail_broken(fmt::format("a reply without a list of {}: {}", key, quote(message.dump())), "protocol");
    }
    if (answers->as_array().size() != expected) {
      return PluginFailure{fmt::format("replied {} {} to {} items", answers->as_array().size(), key, expected), "protocol"};
    }
    return Json(*answers);
  }
}

}  // namespace hone
