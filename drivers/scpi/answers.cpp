#include "drivers/scpi/codec.hpp"
#include "drivers/scpi/text.hpp"

#include <algorithm>

namespace qnfv {

using namespace scpi_text;

namespace {

bool is_printable(std::string_view x) {
  return std::all_of(x.begin(), x.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// A field between commas.
std::string field(std::string_view x) {
  std::string out;
  for (auto c : x)
    out += c >= ' ' && c <= '~' && c != ',' && c != ';' ? c : '?';
  return out;
}

} // namespace

std::optional<scpi_identity> parse_scpi_identity(std::string_view text) {
  auto parts = split(trimmed(text), ',', 5);
  if (parts.size() != 4 || text.size() > 512 || !is_printable(trimmed(text)))
    return std::nullopt;
  scpi_identity out;
  std::string* to[] = {&out.maker, &out.model, &out.serial, &out.version};
  for (size_t i = 0; i < 4; ++i)
    *to[i] = trimmed(parts[i]);
  if (out.maker.empty() || out.model.empty())
    return std::nullopt;
  return out;
}

std::string print_scpi(const scpi_identity& x) {
  return field(x.maker) + "," + field(x.model) + "," + field(x.serial) + "," + field(x.version);
}

std::optional<scpi_size> parse_scpi_size(std::string_view text) {
  cursor from{trimmed(text)};
  auto ingress = from.take_port();
  auto egress = ingress && from.take(',') ? from.take_port() : std::nullopt;
  if (!egress || !from.at_end())
    return std::nullopt;
  return scpi_size{*ingress, *egress};
}

std::string print_scpi(const scpi_size& x) {
  return std::to_string(x.ingress) + "," + std::to_string(x.egress);
}

std::optional<scpi_connections> parse_scpi_connections(std::string_view text) {
  cursor from{trimmed(text)};
  auto in = from.take_ports();
  auto to = in && from.take(',') ? from.take_ports() : std::nullopt;
  if (!to || !from.at_end() || in->size() != to->size())
    return std::nullopt;
  scpi_connections out;
  for (size_t i = 0; i < in->size(); ++i)
    out.emplace_back((*in)[i], (*to)[i]);
  return out;
}

std::string print_scpi(const scpi_connections& x) {
  scpi_ports in, out;
  for (auto& [a, b] : x) {
    in.push_back(a);
    out.push_back(b);
  }
  return print_ports(in) + "," + print_ports(out);
}

std::optional<uint16_t> parse_scpi_port(std::string_view text) {
  cursor from{trimmed(text)};
  auto quoted = from.take_quoted();
  if (!quoted || !from.at_end())
    return std::nullopt;
  if (quoted->empty())
    return 0;
  cursor inside{*quoted};
  auto port = inside.take_port();
  return port && inside.at_end() ? port : std::nullopt;
}

std::string print_scpi_port(uint16_t x) {
  return x == 0 ? "\"\"" : "\"" + std::to_string(x) + "\"";
}

std::optional<scpi_port_states> parse_scpi_states(std::string_view text) {
  cursor from{trimmed(text)};
  scpi_port_states out;
  if (!from.take('('))
    return std::nullopt;
  if (from.take(')'))
    return from.at_end() ? std::optional{out} : std::nullopt;
  do {
    auto known = false;
    for (auto x : {scpi_port_state::disabled, scpi_port_state::enabled, scpi_port_state::failed})
      if (!known && from.take(static_cast<char>(x))) {
        out.push_back(x);
        known = true;
      }
    if (!known)
      return std::nullopt;
  } while (from.take(','));
  if (!from.take(')') || !from.at_end())
    return std::nullopt;
  return out;
}

std::string print_scpi(const scpi_port_states& x) {
  std::string out = "(";
  for (auto state : x)
    out.append(out.size() > 1 ? "," : "") += static_cast<char>(state);
  return out + ")";
}

std::optional<std::vector<scpi_error>> parse_scpi_errors(std::string_view text) {
  cursor from{trimmed(text)};
  std::vector<scpi_error> out;
  do {
    auto code = from.take_code();
    auto words = code && from.take(',') ? from.take_quoted() : std::nullopt;
    if (!words)
      return std::nullopt;
    if (*code != 0)
      out.push_back({*code, std::move(*words)});
  } while (from.take(','));
  if (!from.at_end())
    return std::nullopt;
  return out;
}

std::string print_scpi(const std::vector<scpi_error>& x) {
  std::string out;
  for (auto& error : x)
    out += (out.empty() ? "" : ",") + std::to_string(error.code) + "," + print_quoted(error.text);
  return out.empty() ? "0,\"No error\"" : out;
}

void push_scpi_error(std::vector<scpi_error>& queue, scpi_error x) {
  if (queue.size() < scpi_errors_max)
    queue.push_back(std::move(x));
  else
    queue.back() = {-350, "Queue overflow"};
}

} // namespace qnfv
