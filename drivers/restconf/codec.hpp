#pragma once

// RESTCONF (RFC 8040) of the optical circuit switches of Polatis: YANG module optical-switch,
// prefix opsw, in JSON (RFC 7951). What both ends need of it:
//
//   GET    /api/data/cross-connects/pair      {"optical-switch:pair":[{"ingress":1,"egress":25}]}
//   GET    /api/data/cross-connects/pair=1    the one of this ingress port
//   PATCH  /api/data/cross-connects/pair      {"pair":[{"ingress":1,"egress":25}]}: joined
//   DELETE /api/data/cross-connects/pair=1    parted
//   GET    /api/data/port-config/port         {"optical-switch:port":
//                                               [{"port-id":1,"status":"ENABLED"}]}
//   GET    /api/data/product-information      manufacturer, serial-number, model-name,
//                                             software-version
//   POST   /api/operations/port-set-state     {"input":{"port-enab":[1],"port-disab":[2]}}
//
// A member at the top, and a name in a path, may have the module's name in front. Firmware of 2017
// calls the list "pairs". Pure and total.

#include "drivers/http/json_mask.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qnfv {

constexpr const char* restconf_media = "application/yang-data+json";
constexpr size_t restconf_entries_max = 8192; ///< Of any list.

/// What everybody may see of bodies.
inline const shown_names restconf_shown{
  {"optical-switch:pair", false}, {"pair", false}, {"pairs", false}, {"ingress"}, {"egress"},
  {"optical-switch:port", false}, {"port", false}, {"ports", false}, {"port-id"}, {"status"},
  {"optical-switch:product-information", false}, {"product-information", false}, {"manufacturer"},
  {"serial-number"}, {"model-name"}, {"software-version"}, {"input", false}, {"port-enab"},
  {"port-disab"}, {"ietf-restconf:errors", false}, {"errors", false}, {"error", false},
  {"error-type"}, {"error-tag"}, {"error-message"}};

/// Ports from 1 to 65535.
struct restconf_pair {
  uint16_t ingress = 0, egress = 0;
  friend bool operator==(const restconf_pair& a, const restconf_pair& b) {
    return a.ingress == b.ingress && a.egress == b.egress;
  }
};
using restconf_pairs = std::vector<restconf_pair>;

enum class restconf_state : uint8_t { unsupported, enabled, disabled, failed };
struct restconf_port {
  uint16_t id = 0;
  restconf_state state = restconf_state::unsupported;
};

struct restconf_product {
  std::string manufacturer, serial_number, model_name, software_version;
};

/// RFC 8040, 7.1: what is wrong, for machines ("in-use") and for people.
struct restconf_error {
  std::string tag, message;
};

struct restconf_port_change {
  std::vector<uint16_t> enable, disable;
};

// -- reading. Unknown members are ignored; the list may stand below its container; numbers may be
// strings. Errors: invalid_argument (no JSON object, no such list, an entry without its ports, too
// many entries).
result<restconf_pairs> parse_restconf_pairs(std::string_view body);
result<std::vector<restconf_port>> parse_restconf_ports(std::string_view body);
result<restconf_product> parse_restconf_product(std::string_view body);
result<restconf_port_change> parse_restconf_port_change(std::string_view body);
/// Never fails: what is no RFC 8040 error has an empty tag and at most a short message.
restconf_error parse_restconf_error(std::string_view body);

// -- writing
/// `list` is "pair" or "pairs", with or without the module's name in front.
std::string print_restconf(const restconf_pairs&, const std::string& list);
std::string print_restconf(const std::vector<restconf_port>&);
std::string print_restconf(const restconf_product&);
std::string print_restconf(const restconf_error&);

// -- the server's side
struct restconf_target {
  enum class resource : uint8_t { none, pairs, ports, product, port_set_state };
  resource what = resource::none;
  std::string list = "pair"; ///< As the path calls it: "pair" or "pairs".
  uint16_t key = 0;          ///< One entry of the list; 0: all.
  bool container = false;    ///< The path ends at "cross-connects" or "port-config".
};
/// `none` for any path that is not above, or has a query.
restconf_target parse_restconf_target(std::string_view target);

/// The same for the same body; in quotes.
std::string restconf_etag(std::string_view body);
/// Does an If-None-Match field name it (RFC 7232, 3.2)?
bool names_etag(std::string_view if_none_match, std::string_view etag);

} // namespace qnfv
