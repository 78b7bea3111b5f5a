#include "drivers/scpi/codec.hpp"
#include "drivers/scpi/text.hpp"

#include <algorithm>

namespace qnfv {

namespace {

bool is_command(std::string_view line) {
  auto commands = parse_scpi_line(line);
  return !commands.empty() && std::all_of(commands.begin(), commands.end(), [](auto& x) {
    return std::holds_alternative<scpi_command>(x);
  });
}

bool is_answer(std::string_view x) {
  return x == "1" || parse_scpi_identity(x) || parse_scpi_size(x) || parse_scpi_connections(x)
         || parse_scpi_port(x) || parse_scpi_states(x) || parse_scpi_errors(x);
}

bool are_answers(std::string_view line) {
  auto parts = scpi_text::split(line, ';', scpi_steps_max + 1);
  return parts.size() <= scpi_steps_max
         && std::all_of(parts.begin(), parts.end(), [](auto x) { return is_answer(scpi_text::trimmed(x)); });
}

} // namespace

shown_bytes show_scpi(std::string_view line) {
  auto known = is_command(line) || are_answers(line);
  shown_bytes out{known ? bytes(line.begin(), line.end()) : bytes(line.size(), masked_byte)};
  out.value.push_back('\n');
  return out;
}

} // namespace qnfv
