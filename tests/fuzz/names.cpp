// Small texts that people and peers write: names, numbers, addresses.

#include "drivers/etsi014/codec.hpp"
#include "drivers/idq3p/codec.hpp"
#include "drivers/openflow/codec.hpp"
#include "runtime/base/base64.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/config/optical_plane.hpp"
#include "runtime/deployment/address.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace qnfv;
using namespace qnfv::fuzz;

namespace {

void judge(std::string_view text) {
  if (auto x = parse_uuid(text))
    hold(parse_uuid(uuid_text(*x)) == x, "an id can be written");
  if (auto x = parse_duration(text))
    hold(x->count() >= 0 && to_seconds(*x) <= 100.0 * 366 * 86400 && !format_duration(*x).empty(),
         "a duration is at most a century");
  if (auto x = from_hex(text))
    hold(from_hex(to_hex(*x)) == x, "bytes can be written");
  if (auto x = from_base64(text)) {
    auto written = to_base64(x->view());
    hold(text_of(written.view().data(), written.size()) == text, "base64 has one form only");
  }
  if (auto x = parse_idq3p_id(text))
    hold(to_string(*x) == text, "an IDQ3P id has one form only");
  if (auto x = parse_datapath(std::string{text})) {
    auto again = parse_datapath(datapath_text(*x));
    hold(again && *again == *x, "a datapath id can be written");
  }
  if (auto x = parse_fibre_end(std::string{text})) {
    auto again = parse_fibre_end(to_string(*x));
    hold(again && again->name == x->name && again->port == x->port, "the end of a fibre can be written");
  }
  if (auto x = parse_host_port(std::string{text}))
    hold(!x->host.empty(), "an address has a host");
  if (valid_name(text))
    hold(text.size() <= 64 && text.find('/') == text.npos && text[0] != '.' && text[0] != '-',
         "a name is a safe file name");
  parse_identity_rule(text);
}

} // namespace

QNFV_FUZZER(data, size) {
  bounded(size, of_bytes, [&] { judge(text_of(data, size)); return 0; });
  return 0;
}
