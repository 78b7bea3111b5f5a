#pragma once

// The alphabet of SCPI: what commands and answers are both made of. For this folder only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv::scpi_text {

/// What is left of a text to be read. Each function takes what it names, with the blanks before it,
/// or takes nothing at all and says so.
class cursor {
public:
  explicit cursor(std::string_view text) : rest_(text) {}

  bool take(char x);
  /// 1 to 65535, decimal.
  std::optional<uint16_t> take_port();
  /// With a sign, within +-99999.
  std::optional<int> take_code();
  /// "(@)", "(@1,2,3)"
  std::optional<std::vector<uint16_t>> take_ports();
  /// "A ""quoted"" text", without its quotes.
  std::optional<std::string> take_quoted();
  /// A command's name: letters, digits, ':', '*' and a '?' at its end.
  std::string_view take_header();
  bool at_end();

private:
  void skip_blanks();
  std::string_view rest_;
};

std::string print_ports(const std::vector<uint16_t>&);
/// With its quotes; what does not print is '?', and 255 characters are enough.
std::string print_quoted(std::string_view);
/// Without blanks at both ends.
std::string_view trimmed(std::string_view);
/// The parts between separators that are not inside quotes.
std::vector<std::string_view> split(std::string_view text, char separator, size_t parts_max);

} // namespace qnfv::scpi_text
