#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "rewards/pattern.h"

namespace hone {

/// Kinds of personal data that have a recognisable form.
enum class PersonalData {
  mail,   ///< name@host.domain
  phone,  ///< + and 8 to 15 digits in groups, or (555) 123-4567 in the American form
  card,   ///< 13 to 19 digits in groups that end with Luhn's check digit (ISO/IEC 7812)
  iban,   ///< country, check digits and account, by the remainder modulo 97 (ISO 13616)
  ipv4,   ///< four numbers up to 255
};
inline constexpr std::array<std::string_view, 5> personal_data_names{"mail", "phone", "card", "iban", "ipv4"};

/// Any number of threads may look at once.
class PersonalDataFinder {
 public:
  explicit PersonalDataFinder(PersonalData kind);
  PersonalData kind() const { return kind_; }
  /// How often it occurs in the text.
  std::int64_t count(std::string_view text) const;

 private:
  PersonalData kind_;
  Pattern pattern_;
};

/// The check of card numbers: every second digit from the right doubled, digits summed, a multiple of ten. Other
/// characters are skipped.
bool passes_luhn(std::string_view number);
/// The check of account numbers: rotated by four, letters as 10 … 35, the remainder modulo 97 is 1. Spaces are skipped.
bool passes_iban(std::string_view number);

}  // namespace hone
