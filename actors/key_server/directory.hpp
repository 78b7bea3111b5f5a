#pragma once

#include "runtime/messages/applications.hpp"

#include <map>
#include <set>

namespace qnfv {

/// One application of the lab, as seen from this site.
struct application {
  std::string name;        ///< Its SAE id.
  std::string certificate; ///< The name that its certificate must prove.
  site_id site;
  link_id link; ///< Leads from here to its site; empty: none does, or it is the same site.
};

/// What one request may ask for. The key pool has the same bounds.
struct key_limits {
  uint32_t keys_per_request_max = 128;
  uint32_t key_size_bits_min = 8;
  uint32_t key_size_bits_max = 4096;
  uint32_t additional_slaves_max = 16;
  uint64_t stored_keys_max = 20000;
};

/// Who is who, and who may ask for what: turns a request of an application into one for the key
/// pool, or says no. Pure.
///
/// not_allowed always has the same text. An application that is unknown, of another site, or among
/// no application's counterparts looks to the caller like one that does not exist.
class directory {
public:
  directory() = default;
  directory(site_id here, std::vector<application> all, key_limits limits);

  /// Failures: not_allowed, invalid_argument.
  result<reserve_keys> check(const draw_keys&) const;
  /// Failures: not_allowed, invalid_argument, unknown_key (no such master).
  result<claim_keys> check(const fetch_keys&) const;
  /// All but the stock. Failures: not_allowed, invalid_argument.
  result<application_status> check(const application_status_query&) const;

  /// The link over which `slave` shares keys with this site; empty: none.
  link_id link_to(const std::string& slave) const;

private:
  const application* find(const std::string& name) const;
  /// The one application of this site that the certificate is for.
  result<const application*> caller(const proven_names&) const;
  /// An application at the other end of a link from here.
  result<const application*> counterpart(const std::string& name) const;

  site_id here_;
  key_limits limits_;
  std::map<std::string, application> applications_;
  std::map<std::string, std::string> callers_; ///< Of this site, by the name they prove.
};

} // namespace qnfv
