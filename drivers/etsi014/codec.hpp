#pragma once

// ETSI GS QKD 014 V1.1.1, REST key delivery, at the side of the key server: what an HTTP request
// asks for, and how answers are written. Pure.
//
//   GET       /api/v1/keys/{slave_SAE_ID}/status
//   POST, GET /api/v1/keys/{slave_SAE_ID}/enc_keys      GET: only ?number= and ?size=
//   POST, GET /api/v1/keys/{master_SAE_ID}/dec_keys     GET: exactly one ?key_ID=
//
// Status codes: 400, 401 and 503 as the standard says, 404 for another path, 405 for another verb.
// Every one of them carries an Error object, also 401: clients parse it without looking.
//
// A request may say which trace it belongs to (traceparent, tracestate: runtime/tracing/w3c.hpp).
//
// A key that is held for another SAE answers 401 and one that is not held at all 400, as the
// standard demands; both take one way through the same actors, and no text tells why.

#include "drivers/http/http.hpp"
#include "drivers/http/json_mask.hpp"
#include "runtime/messages/applications.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace qnfv {

/// What everybody may see of bodies: not the keys, nor what extensions hold.
inline const shown_names etsi014_shown{
  {"keys", false},         {"key", false},
  {"key_IDs", false},      {"key_ID"},
  {"number"},              {"size"},
  {"key_extension", false}, {"qnfv_exposed_to"},
  {"extension_mandatory", false}, {"extension_optional", false},
  {"additional_slave_SAE_IDs"},
  {"message"},             {"details", false},
  {"source_KME_ID"},       {"target_KME_ID"},
  {"master_SAE_ID"},       {"slave_SAE_ID"},
  {"stored_key_count"},    {"max_key_count"},
  {"key_size"},            {"max_key_per_request"},
  {"max_key_size"},        {"min_key_size"},
  {"max_SAE_ID_count"},    {"status_extension", false}};

/// Which names of a certificate say who the caller is.
enum class identity_rule : uint8_t { common_name, dns, uri };

/// "cn", "dns" or "uri".
std::optional<identity_rule> parse_identity_rule(std::string_view);

/// A URI of our own authority, "qnfv:application:nfv-co", counts as "nfv-co" too.
proven_names names_of(const caller_names&, identity_rule);

/// Points on which real clients and servers disagree.
struct etsi014_compat {
  bool post_without_body = true;     ///< For enc_keys: means an empty object. Else 400.
  uint16_t unknown_key_status = 400; ///< The standard's. 404: what some servers send.
};

/// An Error object and the status it goes with.
struct etsi014_error {
  uint16_t status = 400;
  std::string message;
  std::optional<uint64_t> stored_key_count; ///< As a detail: how many there are.
  std::string allow = {};                   ///< With 405: the verbs that there are.
};

/// A request for the key server; the caller's names are still missing.
using etsi014_call = std::variant<etsi014_error, application_status_query, draw_keys, fetch_keys>;

etsi014_call parse_call(const http_request&, const etsi014_compat&);

/// What an application is told about a failure of the key server. `fetching`: it was about keys
/// that the caller had named.
etsi014_error error_for(const failure&, bool fetching, const etsi014_compat&);

http_response answer(const etsi014_error&);
http_response answer(const application_status&);
/// A Key container. Keys go straight from one secret into another. Those that a trusted node saw
/// say so: "key_extension": {"qnfv_exposed_to": ["n1"]}.
http_response answer(const key_grants&);

/// The other side, for clients: reads a Key container in place. Unknown members are ignored.
/// Failure: invalid_argument.
result<key_grants> parse_key_container(secret body);

} // namespace qnfv
