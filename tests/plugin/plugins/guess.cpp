// Guess the number, told where to look: an environment with a state. `config: {log: FILE}` lists what it is asked to
// do; `drift: 1` makes it answer otherwise when it is asked again.
#include <hone/plugin.hpp>

#include <cstdio>

using namespace hone::plugin;

class Guess {
 public:
  static constexpr Traits traits = Traits("guess");

  struct State {
    long long hidden;
    int turns;
  };

  explicit Guess(const Setup& setup)
      : log_(setup.call.config("log", "")),
        drift_(setup.call.config("drift", "0") == "1"),
        broken_(setup.call.config("broken", "0") == "1") {}

  std::uint64_t size(Split split) const { return split == Split::train ? 50 : 10; }

  Prompt prompt(const Call& call, Split split, std::uint64_t index, std::uint64_t seed) const {
    if (broken_ && index == 49) throw std::runtime_error("no such number");
    const auto hidden = static_cast<unsigned>(10.0 * call.uniform(seed, 0));
    Prompt made{(split == Split::train ? "train " : "test ") + std::to_string(index) + ": "};
    made.reference = "{\"answer\": " + std::to_string(hidden) + "}";
    made.demonstration = std::to_string(hidden);
    return made;
  }

  State reset(const Item& item) {
    note("reset");
    if (!item.answer) throw std::runtime_error("no number to guess");
    return {std::atoll(std::string(*item.answer).c_str()), 0};
  }

  Step step(State& state, const Item& item) {
    note("step");
    if (item.completion == "abort") std::abort();
    if (item.completion == "throw") throw std::runtime_error("told to throw");
    if (item.completion == "empty") return Step::say("");
    if (item.completion == "nan") return Step::end(std::strtod("nan", nullptr));
    const long long guess = std::atoll(std::string(item.completion).c_str());
    ++state.turns;
    if (guess == state.hidden) return Step::end(1.0 / state.turns);
    if (state.turns == 6) return Step::end(0.0);
    std::string reply = guess < state.hidden ? " higher" : " lower";
    reply += " (" + std::to_string(state.turns) + ")";
    if (drift_) reply += " [" + std::to_string(++steps_) + "]";
    return Step::say(reply, -0.5);
  }

  std::string save(const State& state) const {
    note("save");
    return std::to_string(state.hidden) + std::string(1, '\0') + std::to_string(state.turns);
  }

  State load(const Item& item, std::string_view bytes) const {
    note("load");
    if (item.turn_count() != 0) throw std::runtime_error("expected the episode as it began");
    return {std::atoll(std::string(bytes).c_str()), std::atoi(std::string(bytes.substr(bytes.find('\0') + 1)).c_str())};
  }

 private:
  void note(const char* what) const {
    if (log_.empty()) return;
    if (std::FILE* file = std::fopen(log_.c_str(), "a")) {
      std::fprintf(file, "%s ", what);
      std::fclose(file);
    }
  }

  std::string log_;
  bool drift_;
  bool broken_;
  int steps_ = 0;
};

HONE_ENVIRONMENT_CLASS(Guess)
