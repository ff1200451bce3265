#include "rewards/personal_data.h"

#include <algorithm>
#include <string>

namespace hone {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* pattern_of(PersonalData kind) {
  switch (kind) {
    case PersonalData::mail:
      return R"((?<![\w.%+-])[\w.%+-]++@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![\w-]))";
    case PersonalData::phone:
      return R"((?<![\w+])(?:\+\d(?:[ .()/-]{0,2}\d){7,14}|(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4})(?![\w]))";
    case PersonalData::card:
      return R"((?<![\w.+-])(?:[2-6]\d{12,18}|[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|3\d{3}([ -])\d{6}\2\d{5})(?!\w))";
    case PersonalData::iban:
      return R"((?<!\w)[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?!\w))";
    case PersonalData::ipv4: break;
  }
  return R"((?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\.?\d|\w))";
}

}  // namespace

bool passes_luhn(std::string_view number) {
  int sum = 0;
  int digits = 0;
  for (std::size_t i = number.size(); i-- > 0;) {
    if (!is_digit(number[i])) continue;
    const int digit = (number[i] - '0') * (digits % 2 == 1 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
    ++digits;
  }
  return digits > 0 && sum % 10 == 0;
}

bool passes_iban(std::string_view number) {
  std::string plain;
  std::ranges::copy_if(number, std::back_inserter(plain), [](char c) { return c != ' '; });
  if (plain.size() < 15 || plain.size() > 34) return false;
  std::ranges::rotate(plain, plain.begin() + 4);
  int remainder = 0;
  for (const char c : plain) {
    remainder = is_digit(c) ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'A' + 10)) % 97;
  }
  return remainder == 1;
}

PersonalDataFinder::PersonalDataFinder(PersonalData kind) : kind_(kind), pattern_(pattern_of(kind), {}) {}

std::int64_t PersonalDataFinder::count(std::string_view text) const {
  std::int64_t found = 0;
  for (const Pattern::Match& match : pattern_.find_all(text)) {
    const bool valid = kind_ == PersonalData::card   ? passes_luhn(*match[0])
                       : kind_ == PersonalData::iban ? passes_iban(*match[0])
                                                     : true;
    found += valid;
  }
  return found;
}

}  // namespace hone
