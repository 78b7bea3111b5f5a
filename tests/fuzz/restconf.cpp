// RESTCONF: answers of a switch, and requests to the emulated one. The first line is the target.

#include "drivers/restconf/codec.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

template <class Parse, class Print>
void there_and_back(std::string_view body, Parse parse, Print print) {
  auto x = bounded(body.size(), of_json, [&] { return parse(body); });
  if (!x)
    return hold(x.error().code == ec::invalid_argument, "what is no body is an invalid argument");
  auto written = print(*x);
  auto again = parse(written);
  hold(again && print(*again) == written, "a body that was understood can be written");
}

} // namespace

QNFV_FUZZER(data, size) {
  parts in{data, size};
  auto first = in.line();
  auto body = in.rest_text();
  auto target = bounded(size, of_bytes, [&] { return parse_restconf_target(first); });
  hold(target.list == "pair" || target.list == "pairs", "a list has one of its two names");
  there_and_back(body, parse_restconf_pairs,
                 [&](auto& x) { return print_restconf(x, "optical-switch:" + target.list); });
  there_and_back(body, parse_restconf_ports, [](auto& x) { return print_restconf(x); });
  there_and_back(body, parse_restconf_product, [](auto& x) { return print_restconf(x); });
  auto change = parse_restconf_port_change(body);
  hold(!change || change->enable.size() + change->disable.size() <= body.size(),
       "no more ports than bytes");
  auto error = parse_restconf_error(body);
  hold(error.tag.size() <= 128 && error.message.size() <= 128, "words of a switch are short");
  if (!error.tag.empty())
    hold(parse_restconf_error(print_restconf(error)).tag == error.tag, "an error can be written");
  names_etag(first, body);
  hold(names_etag(restconf_etag(body), restconf_etag(body)), "a body's tag names it");
  return 0;
}
