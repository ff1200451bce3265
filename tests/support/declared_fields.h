#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace hone::test {

/// Walks a component's declaration as the reader does and keeps what is wrong with its present values, as
/// "key: what". For components that hold no sections and no other components.
class DeclaredFields : public Fields {
 public:
  static std::vector<std::string> problems(Component& component) {
    const Catalogs none;
    DeclaredFields fields(none);
    component.describe(fields);
    return std::move(fields.problems_);
  }

  void field(std::string_view key, bool&, std::string_view doc) override { documented(key, doc); }
  void field(std::string_view key, std::int64_t& value, std::string_view doc, Range range) override {
    bounded(key, doc, static_cast<double>(value), range);
  }
  void field(std::string_view key, double& value, std::string_view doc, Range range) override {
    bounded(key, doc, value, range);
  }
  void field(std::string_view key, std::string&, std::string_view doc) override { documented(key, doc); }
  void field(std::string_view key, Bytes& value, std::string_view doc, Range range) override {
    bounded(key, doc, static_cast<double>(value.count), range);
  }
  void field(std::string_view key, Seconds& value, std::string_view doc, Range range) override {
    bounded(key, doc, value.count, range);
  }
  void field(std::string_view key, std::vector<std::string>&, std::string_view doc) override { documented(key, doc); }
  void field(std::string_view key, std::vector<std::int64_t>& values, std::string_view doc, Range range) override {
    for (const std::int64_t value : values) bounded(key, doc, static_cast<double>(value), range);
  }
  void field(std::string_view key, std::vector<double>& values, std::string_view doc, Range range) override {
    for (const double value : values) bounded(key, doc, value, range);
  }
  void field(std::string_view key, std::optional<double>& value, std::string_view doc, Range range) override {
    if (value) bounded(key, doc, *value, range);
  }
  void field(std::string_view key, std::optional<std::int64_t>& value, std::string_view doc, Range range) override {
    if (value) bounded(key, doc, static_cast<double>(*value), range);
  }
  void field(std::string_view key, std::optional<std::string>&, std::string_view doc) override { documented(key, doc); }
  void field(std::string_view key, std::vector<std::pair<std::string, std::string>>&, std::string_view doc) override {
    documented(key, doc);
  }
  void field(std::string_view key, std::vector<std::pair<std::string, double>>&, std::string_view doc) override {
    documented(key, doc);
  }
  void choice(std::string_view key, std::size_t& index, std::span<const std::string_view> names,
              std::string_view doc) override {
    documented(key, doc);
    if (index >= names.size()) problem(key, "the default is none of the names");
  }
  void section(std::string_view key, std::string_view, const Body&) override { problem(key, "is a section"); }
  void sections(std::string_view key, std::string_view, const Sections&) override { problem(key, "is a list"); }
  void section_map(std::string_view key, std::string_view, const Sections&) override { problem(key, "is a map"); }
  void component(std::string_view key, std::string_view, const Catalog&, const Slot&) override {
    problem(key, "is a component");
  }
  void components(std::string_view key, std::string_view, const Catalog&, const Slots&) override {
    problem(key, "is a list of components");
  }
  void check(bool holds, std::string_view key, std::string_view message) override {
    if (!holds) problem(key, message);
  }

 private:
  using Fields::Fields;

  void documented(std::string_view key, std::string_view doc) {
    if (doc.empty() || doc.back() != '.') problem(key, "its documentation is not a sentence");
  }
  void bounded(std::string_view key, std::string_view doc, double value, const Range& range) {
    documented(key, doc);
    if (!range.contains(value)) problem(key, "expected a value " + range.text());
  }
  void problem(std::string_view key, std::string_view what) {
    problems_.push_back(std::string(key) + ": " + std::string(what));
  }

  std::vector<std::string> problems_;
};

}  // namespace hone::test
