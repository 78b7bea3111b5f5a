#include "drivers/scpi/codec.hpp"
#include "drivers/scpi/text.hpp"

#include <algorithm>
#include <array>

namespace qnfv {

namespace {

using namespace scpi_text;
using step = std::variant<scpi_command, scpi_error>;

enum class parameters : uint8_t {
  none,
  port,  ///< 2
  ports, ///< (@2,4)
  pairs, ///< (@1,2),(@17,18), of the same length
  loose, ///< as pairs, or (@1,2),(@)
};

struct rule {
  scpi_word word;
  std::string_view header; ///< Capitals: the short form.
  parameters wants;
};

constexpr std::array<rule, 16> rules{{
  {scpi_word::identify, "*IDN?", parameters::none},
  {scpi_word::clear, "*CLS", parameters::none},
  {scpi_word::reset, "*RST", parameters::none},
  {scpi_word::complete, "*OPC?", parameters::none},
  {scpi_word::size, "OXC:SWITch:SIZE?", parameters::none},
  {scpi_word::connect_add, "OXC:SWITch:CONNect:ADD", parameters::pairs},
  {scpi_word::connect_only, "OXC:SWITch:CONNect:ONLY", parameters::pairs},
  {scpi_word::connect_sub, "OXC:SWITch:CONNect:SUB", parameters::loose},
  {scpi_word::disconnect_all, "OXC:SWITch:DISConnect:ALL", parameters::none},
  {scpi_word::connections, "OXC:SWITch:CONNect:STATe?", parameters::none},
  {scpi_word::connection_of, "OXC:SWITch:CONNect:PORT?", parameters::port},
  {scpi_word::disable, "OXC:SWITch:PORT:DISable", parameters::ports},
  {scpi_word::enable, "OXC:SWITch:PORT:ENABle", parameters::ports},
  {scpi_word::port_states, "OXC:SWITch:PORT:STATe?", parameters::ports},
  {scpi_word::errors, "SYSTem:ERRor:ALL?", parameters::none},
  {scpi_word::network_address, "SYSTem:COMMunicate:NETWork:ADDRess?", parameters::none},
}};

bool is_capital(char x) {
  return x < 'a' || x > 'z';
}

char capital(char x) {
  return is_capital(x) ? x : static_cast<char>(x - 'a' + 'A');
}

/// Is `given` the keyword `pattern`, in its short or its long form?
bool is_keyword(std::string_view given, std::string_view pattern) {
  auto same = [](char a, char b) { return capital(a) == capital(b); };
  auto short_form = static_cast<size_t>(std::count_if(pattern.begin(), pattern.end(), is_capital));
  if (given.size() == short_form) {
    size_t i = 0;
    return std::all_of(pattern.begin(), pattern.end(),
                       [&](char x) { return !is_capital(x) || same(given[i++], x); });
  }
  return std::equal(given.begin(), given.end(), pattern.begin(), pattern.end(), same);
}

bool is_header(std::string_view given, std::string_view pattern) {
  for (;;) {
    auto a = given.find(':'), b = pattern.find(':');
    if (!is_keyword(given.substr(0, a), pattern.substr(0, b)))
      return false;
    if (a == std::string_view::npos || b == std::string_view::npos)
      return a == b;
    given.remove_prefix(a + 1);
    pattern.remove_prefix(b + 1);
  }
}

const rule* find_rule(std::string_view header) {
  if (!header.empty() && header.front() == ':')
    header.remove_prefix(1);
  for (auto& x : rules)
    if (is_header(header, x.header))
      return &x;
  return nullptr;
}

scpi_error wrong(int code, const char* what, std::string_view text) {
  return {code, what + (text.empty() ? "" : ";" + std::string(text.substr(0, 80)))};
}

/// A list that is none may have a wrong number in it, or be something else.
scpi_error not_ports(std::string_view text) {
  return text.find("(@") == std::string_view::npos ? wrong(-109, "Missing parameter", text)
                                                   : wrong(-222, "Data out of range", text);
}

step read_parameters(const rule& as, cursor from, std::string_view text) {
  scpi_command out;
  out.word = as.word;
  if (as.wants == parameters::port) {
    auto port = from.take_port();
    if (!port)
      return from.at_end() ? wrong(-109, "Missing parameter", text)
                           : wrong(-222, "Data out of range", text);
    out.first.push_back(*port);
  } else if (as.wants != parameters::none) {
    auto first = from.take_ports();
    if (!first)
      return not_ports(text);
    out.first = std::move(*first);
    if (as.wants != parameters::ports) {
      auto second = from.take(',') ? from.take_ports() : std::nullopt;
      if (!second)
        return not_ports(text.substr(std::min(text.size(), text.find(')'))));
      out.second = std::move(*second);
      if (out.first.size() != out.second.size()
          && (as.wants == parameters::pairs || !out.second.empty()))
        return wrong(-220, "Parameter error", text);
    }
  }
  if (!from.at_end())
    return wrong(-108, "Parameter not allowed", text);
  return out;
}

/// `path` is where the command before it stood: a name without a leading ':' may go on from there
/// (SCPI-1999, 6.2.4).
step parse_step(std::string_view text, std::string& path) {
  cursor from{text};
  auto header = from.take_header();
  if (header.empty())
    return wrong(-102, "Syntax error", text);
  std::string whole{header};
  auto* as = find_rule(whole);
  if (!as && header.front() != ':' && header.front() != '*' && !path.empty()) {
    whole = path + whole;
    as = find_rule(whole);
  }
  if (!as)
    return wrong(-113, "Undefined header", text);
  if (header.front() != '*')
    path = whole.substr(0, whole.rfind(':') + 1);
  return read_parameters(*as, from, text);
}

} // namespace

std::vector<std::variant<scpi_command, scpi_error>> parse_scpi_line(std::string_view line) {
  std::vector<step> out;
  if (line.size() > scpi_line_max)
    return {wrong(-223, "Too much data", {})};
  line = trimmed(line);
  if (std::any_of(line.begin(), line.end(),
                  [](char x) { return (x < ' ' && x != '\t') || x > '~'; }))
    return {wrong(-101, "Invalid character", {})};
  std::string path;
  // One more than allowed, to see that there are too many.
  for (auto part : split(line, ';', scpi_steps_max + 1)) {
    if (out.size() == scpi_steps_max) {
      out.push_back(wrong(-223, "Too much data", {}));
      break;
    }
    if (!trimmed(part).empty())
      out.push_back(parse_step(trimmed(part), path));
  }
  return out;
}

std::string print_scpi(const scpi_command& x) {
  auto as = std::find_if(rules.begin(), rules.end(), [&](auto& y) { return y.word == x.word; });
  std::string out = as->header.front() == '*' ? "" : ":";
  for (auto c : as->header)
    if (is_capital(c))
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (as->wants == parameters::port)
    out += " " + std::to_string(x.first.empty() ? 0 : x.first.front());
  else if (as->wants != parameters::none)
    out += " " + print_ports(x.first);
  if (as->wants == parameters::pairs || as->wants == parameters::loose)
    out += "," + print_ports(x.second);
  return out;
}

std::string print_scpi_confirmed(const scpi_command& x) {
  return "*cls;" + print_scpi(x) + ";*opc?";
}

} // namespace qnfv
