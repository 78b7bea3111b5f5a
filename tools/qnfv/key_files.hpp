#pragma once

// The two kinds of key files that an operator carries to a site, both 0400:
//
//   SITE.seal           32 random bytes: seals the site's key journals
//   BOB-ALICE.secret    "QNFVLS1\n", a 4-byte issue number, 2048 random bytes: what the two ends of a
//                       link authenticate each other with before they have a quantum key. Every
//                       byte is used once; a new issue starts them again.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/secret.hpp"

#include <string>

namespace qnfv {

struct link_secret {
  uint32_t issue = 0;
  secret keys; ///< 64 keys of 32 bytes.
};

/// Failure: already_exists.
status make_seal_key(const std::string& file);
/// Failures: bad_config (not 32 bytes, or others can read it).
result<secret> load_seal_key(const std::string& file);

/// "DIR/bob1-alice1.secret"
std::string link_secret_file(const std::string& folder, const link_id& link);
/// With `renew` the next issue replaces the file. Failure: already_exists.
result<uint32_t> make_link_secret(const std::string& file, bool renew);
/// Failure: bad_config (not such a file, or others can read it).
result<link_secret> load_link_secret(const std::string& file);

/// A password: the text of a 0400 or 0600 file without the end of its line. Failure: bad_config
/// (empty, longer than 128 bytes, or others can read it).
result<secret> load_password(const std::string& file);

} // namespace qnfv
