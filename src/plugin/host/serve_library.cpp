#include "plugin/host/serve_library.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "plugin/host/channel.h"
#include "plugin/library_environment.h"
#include "plugin/library_reward.h"
#include "plugin/wire.h"

namespace hone {

namespace {

Json log_json(LogLevel level, std::string_view text) {
  Json json = Json::object();
  json.set("log", text);
  json.set("level", level == LogLevel::error ? "error" : level == LogLevel::warn ? "warn" : "info");
  return json;
}

Json metric_json(std::string_view name, double value) {
  Json figure = Json::object();
  figure.set(std::string(name), value);
  Json json = Json::object();
  json.set("metric", std::move(figure));
  return json;
}

LibrarySettings settings_from(const Json& hello, Channel& channel) {
  LibrarySettings settings;
  settings.name = hello.at("name").as_string();
  for (const auto& [key, value] : hello.at("config").as_object()) settings.config.emplace_back(key, value.as_string());
  // The hello brings the seed that an instance sees; the seeds of its items come with them.
  settings.key = static_cast<std::uint64_t>(hello.at("seed").as_integer()) << 11;
  settings.log = [&channel](LogLevel level, std::string_view text) { channel.send(log_json(level, text)); };
  settings.metric = [&channel](std::string_view name, double value) { channel.send(metric_json(name, value)); };
  settings.cancelled = [&channel] { return channel.closed(); };
  return settings;
}

/// A plug-in as the answers to requests.
class Server {
 public:
  virtual ~Server() = default;
  /// Adds what is special to the kind.
  virtual void describe(Json& hello) const = 0;
  /// The answer's key and content. Error when the request cannot be answered at all.
  virtual std::pair<std::string, Json> answer(const Json& request) = 0;
};

class RewardServer : public Server {
 public:
  RewardServer(std::shared_ptr<Library> library, LibrarySettings settings)
      : reward_(std::move(library), std::move(settings)) {}

  void describe(Json& hello) const override {
    hello.set("kind", "reward");
    hello.set("scope", scope_name(reward_.scope()));
    hello.set("deterministic", reward_.deterministic());
  }

  std::pair<std::string, Json> answer(const Json& request) override {
    std::vector<Item> items;
    for (const Json& item : request.at("score").as_array()) items.push_back(item_from_json(item));
    std::vector<const Episode*> episodes;
    std::vector<std::uint64_t> seeds;
    for (const Item& item : items) {
      episodes.push_back(&item.episode);
      seeds.push_back(item.seed);
    }
    Json::Array scores;
    for (const Score& score : reward_.score(episodes, seeds)) scores.push_back(score_json(score));
    return {"scores", Json(std::move(scores))};
  }

 private:
  LibraryReward reward_;
};

class EnvironmentServer : public Server {
 public:
  EnvironmentServer(std::shared_ptr<Library> library, LibrarySettings settings)
      : environment_(std::move(library), std::move(settings)) {}

  void describe(Json& hello) const override {
    Json size = Json::object();
    size.set("train", static_cast<std::int64_t>(environment_.size(Split::train)));
    size.set("held_out", static_cast<std::int64_t>(environment_.size(Split::held_out)));
    hello.set("kind", "environment");
    hello.set("size", std::move(size));
    hello.set("deterministic", environment_.deterministic());
  }

  std::pair<std::string, Json> answer(const Json& request) override {
    Json::Array answers;
    if (const Json* prompts = request.find("prompts")) {
      for (const Json& wanted : prompts->as_array()) answers.push_back(prompt(wanted));
      return {"prompts", Json(std::move(answers))};
    }
    for (const Json& json : request.at("steps").as_array()) {
      const Item item = item_from_json(json);
      answers.push_back(step_json(environment_.step(item.episode, item.seed)));
    }
    return {"steps", Json(std::move(answers))};
  }

 private:
  Json prompt(const Json& wanted) const {
    const std::string& name = wanted.at("split").as_string();
    if (name != "train" && name != "held_out") {
      fail(ErrorKind::data, "split: expected \"train\" or \"held_out\", got \"{}\"", name);
    }
    const Split split = name == "train" ? Split::train : Split::held_out;
    const auto index = static_cast<std::uint64_t>(wanted.at("index").as_integer());
    if (index >= environment_.size(split)) {
      fail(ErrorKind::data, "prompt {} of the {} split, which has {}", index, name, environment_.size(split));
    }
    const WirePrompt made =
        environment_.prompt(split, index, static_cast<std::uint64_t>(wanted.at("seed").as_integer()));
    return prompt_json(made.prompt, made.demonstration);
  }

  LibraryEnvironment environment_;
};

std::unique_ptr<Server> start(const std::string& library, const std::string& line, Channel& channel) {
  const Json first = Json::parse(line, "the first line");
  const Json& hello = first.at("hello");
  if (const std::int64_t protocol = hello.at("protocol").as_integer(); protocol != plugin_protocol) {
    fail(ErrorKind::service, "hone speaks protocol {}, its hone-plugin-host {}: they are of different versions",
         protocol, plugin_protocol);
  }
  const std::shared_ptr<Library> opened = Library::open(find_library(library));
  LibrarySettings settings = settings_from(hello, channel);
  const std::string& kind = hello.at("kind").as_string();
  std::unique_ptr<Server> server;
  if (kind == "reward") {
    server = std::make_unique<RewardServer>(opened, std::move(settings));
  } else if (kind == "environment") {
    server = std::make_unique<EnvironmentServer>(opened, std::move(settings));
  } else {
    fail(ErrorKind::service, "kind: expected reward or environment, got {}", kind);
  }
  Json own = Json::object();
  own.set("protocol", plugin_protocol);
  own.set("name", opened->name());
  server->describe(own);
  Json reply = Json::object();
  reply.set("hello", std::move(own));
  channel.send(reply);
  return server;
}

Json reply_to(const std::string& line, Server& server) {
  Json reply = Json::object();
  try {
    const Json request = Json::parse(line, "a request");
    reply.set("id", request.at("id"));
    auto [key, answer] = server.answer(request);
    reply.set(key, std::move(answer));
  } catch (const Error& error) {
    reply.set("error", error.what());
  }
  return reply;
}

int serve(const std::string& library) {
  Channel channel;
  std::unique_ptr<Server> server;
  try {
    const std::optional<std::string> hello = channel.next_line();
    if (!hello) return 0;
    server = start(library, *hello, channel);
  } catch (const Error& error) {
    Json refusal = Json::object();
    refusal.set("error", error.what());
    channel.send(refusal);
    return error.exit_code();
  }
  while (const std::optional<std::string> line = channel.next_line()) channel.send(reply_to(*line, *server));
  return 0;
}

}  // namespace

int serve_library(int argc, char** argv) {
  if (argc != 1) {
    std::fprintf(stderr, "hone-plugin-host serve: expected one argument, the library; got %d\n", argc);
    return static_cast<int>(ErrorKind::usage);
  }
  try {
    return serve(argv[0]);
  } catch (const Error& error) {
    std::fprintf(stderr, "hone-plugin-host %s\n", error.what());
    return error.exit_code();
  }
}

}  // namespace hone
