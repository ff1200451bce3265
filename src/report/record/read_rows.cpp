#include "report/record/read_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "base/format.h"

namespace hone {

namespace {

constexpr std::size_t most_stages = 100;

/// What was wrong with a file's lines, told as one note.
class BadLines {
 public:
  void add(std::int64_t number, std::string why, bool cut_off) {
    if (cut_off) {
      cut_off_ = true;
      return;
    }
    if (count_++ == 0) first_ = fmt::format("the first is line {}: {}", format_count(number), why);
  }
  void tell(const std::string& file, std::vector<std::string>& notes) const {
    if (count_ > 0) {
      notes.push_back(fmt::format("{}: {} {} could not be used; {}", file, format_count(count_),
                                  count_ == 1 ? "line" : "lines", first_));
    }
    if (cut_off_) notes.push_back(file + ": the last line is cut off; it is left out");
  }

 private:
  std::int64_t count_ = 0;
  std::string first_;
  bool cut_off_ = false;
};

}  // namespace

void for_each_row(const std::filesystem::path& path, std::vector<std::string>& notes,
                  const std::function<void(const Json& row)>& use) {
  const std::string file = path.filename().string();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    notes.push_back(file + ": there is no such file");
    return;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    notes.push_back(file + ": cannot be read");
    return;
  }
  BadLines bad;
  std::string line;
  for (std::int64_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    try {
      const Json row = Json::parse(line, "row");
      if (!row.is_object()) fail(ErrorKind::data, "row: expected an object, got {}", row.type_name());
      use(row);
    } catch (const Error& error) {
      bad.add(number, error.what(), in.eof());
    }
  }
  if (in.bad()) notes.push_back(file + ": reading it failed; what follows is left out");
  bad.tell(file, notes);
}

StageRecord& stage_of(std::vector<StageRecord>& stages, const std::string& name) {
  const auto found = std::ranges::find(stages, name, &StageRecord::name);
  if (found != stages.end()) return *found;
  if (stages.size() == most_stages) fail(ErrorKind::data, "more than {} stages", most_stages);
  stages.push_back({.name = name});
  return stages.back();
}

}  // namespace hone
