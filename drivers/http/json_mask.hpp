#pragma once

// What everybody may see of JSON that comes in pieces: its structure, the names that are known, and
// the values of those that are known to be harmless. All else is masked in the same length, and from
// the first byte that is no JSON on everything is.

#include "runtime/base/shown.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

/// A member of an object, or a field of a header.
struct shown_name {
  std::string_view name;
  bool value = true; ///< Its text or number is shown, too, and those of a list.
};
using shown_names = std::vector<shown_name>;

/// Nothing if no name is `x`.
const shown_name* find_name(const shown_names&, std::string_view x);
/// Some name begins with `x`.
bool begins_name(const shown_names&, std::string_view x);

class json_mask {
public:
  explicit json_mask(shown_names names) : names_(std::move(names)) {}

  /// Another text begins.
  void reset();
  /// The byte that is shown for the next one.
  uint8_t step(uint8_t);

private:
  enum class want : uint8_t { value, value_or_end, name, name_or_end, colon, comma_or_end, nothing };
  enum class within : uint8_t { no, name, text, literal, garbage };
  struct level {
    bool object = false;
    bool shown = false; ///< Of a list: its values.
  };

  uint8_t outside(uint8_t);
  uint8_t in_name(uint8_t);
  uint8_t in_text(uint8_t);
  uint8_t in_literal(uint8_t);
  uint8_t spoilt();
  bool wants_value() const { return want_ == want::value || want_ == want::value_or_end; }
  void value_ended();
  void enter(level);

  const shown_names names_;
  std::vector<level> levels_;
  want want_ = want::value;
  within within_ = within::no;
  bool shown_ = false;   ///< The value that comes.
  bool escaped_ = false; ///< The byte before was a backslash.
  std::string name_;     ///< As far as it came.
};

} // namespace qnfv
