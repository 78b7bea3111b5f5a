#include "runtime/base/error.hpp"

#include "runtime/base/names.hpp"

#include <iterator>

namespace qnfv {

namespace {

constexpr const char* names[] = {
  "none",           "invalid_argument", "not_allowed",    "unknown_image",  "already_exists",
  "unknown_site",   "unknown_link",     "unknown_key",    "key_exhausted",  "not_found",
  "site_unreachable", "busy",           "maybe_executed", "stale_epoch",    "storage_failed",
  "channel_failed", "stream_corrupt",   "digest_mismatch", "vim_failed",    "device_failed",
  "cancelled",      "bad_config",       "internal",
};
static_assert(std::size(names) == ec_count, "name every error code");

} // namespace

std::string to_string(ec code) {
  return name_in(names, code);
}

} // namespace qnfv
