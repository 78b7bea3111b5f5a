// SCPI: lines that clients send to a switch, and what a switch answers.

#include "drivers/scpi/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

template <class Parse>
void there_and_back(std::string_view text, Parse parse) {
  auto x = bounded(text.size(), of_bytes, [&] { return parse(text); });
  if (!x)
    return;
  auto written = print_scpi(*x);
  auto again = parse(written);
  hold(again && print_scpi(*again) == written, "an answer that was understood can be written");
}

} // namespace

QNFV_FUZZER(data, size) {
  auto text = text_of(data, size);
  auto steps = bounded(size, of_bytes, [&] { return parse_scpi_line(text); });
  hold(steps.size() <= scpi_steps_max + 1, "a line has a bounded number of commands");
  for (auto& step : steps) {
    auto* command = std::get_if<scpi_command>(&step);
    if (!command)
      continue;
    auto written = print_scpi(*command);
    auto again = parse_scpi_line(written);
    auto* same = again.size() == 1 ? std::get_if<scpi_command>(&again[0]) : nullptr;
    hold(same && same->word == command->word && same->first == command->first
           && same->second == command->second,
         "a command that was understood can be written");
  }
  there_and_back(text, parse_scpi_identity);
  there_and_back(text, parse_scpi_size);
  there_and_back(text, parse_scpi_connections);
  there_and_back(text, parse_scpi_states);
  there_and_back(text, parse_scpi_errors);
  if (auto port = parse_scpi_port(text))
    hold(parse_scpi_port(print_scpi_port(*port)) == port, "a port can be written");
  return 0;
}
