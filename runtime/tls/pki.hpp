#pragma once

// The lab's own certificate authority: one folder, to be kept off the lab's servers.
//
//   ca.key    ECDSA P-256, mode 0400: whoever has it may speak for every site
//   ca.pem    self-signed, 10 years
//   NAME.key  ECDSA P-256, mode 0400
//   NAME.pem  of a site, for client and server; the subject's CN is NAME, its identity is the subject
//             alternative name "URI:qnfv:site:NAME"; DNS:NAME and its hosts are for HTTPS clients
//   NAME.pem  of an application, for a client only; its identity ID (NAME unless told otherwise) is
//             CN, DNS:ID and "URI:qnfv:application:ID". If ID is a URI it is just that, and CN and
//             DNS are NAME. It never names a site, so no site lets it in.
//
// There is no revocation: a lost site key means a new authority.

#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"

#include <string>
#include <vector>

namespace qnfv {

/// Makes the authority in `folder`, which is created (0700) if need be.
/// Errors: already_exists (an authority is never overwritten), storage_failed.
status pki_init(const std::string& folder);

struct pki_options {
  /// Replaces key and certificate of a name that has them already.
  bool renew = false;
  /// From now on. Five minutes before now count too: the clocks of a lab differ.
  duration lifetime = std::chrono::hours(24 * 397);
  /// Of a site: names and IP addresses under which HTTPS clients reach it.
  std::vector<std::string> hosts = {};
};

/// Makes key and certificate of `name`: a site, or "operator" for the people's commands.
/// Errors: invalid_argument (not a site name of at most 20 bytes, or "ca"), already_exists without
/// `renew`, bad_config (no authority in `folder`, or a damaged one), storage_failed.
status pki_issue(const std::string& folder, const std::string& name, const pki_options& = {});

/// Makes key and certificate of an application, which gets keys from the key server of its site.
/// Errors: as pki_issue; a name may have 64 bytes, `identity` 255.
status pki_issue_application(const std::string& folder, const std::string& name,
                             const std::string& identity, const pki_options& = {});

} // namespace qnfv
