#pragma once

#include <cstdint>
#include <string>

namespace qnfv {

/// Why something was not done. A code exists only if some caller reacts to exactly that; the text
/// that travels beside it is for people.
enum class ec : uint8_t {
  /// No error. CAF reserves zero for "not an error".
  none = 0,
  /// Argument out of range or malformed.
  invalid_argument,
  /// The caller may not ask for this: wrong role, or it speaks for another site.
  not_allowed,
  /// No image of this name in the catalogue.
  unknown_image,
  /// The name is taken by something else.
  already_exists,
  /// No such site, or the site has no such role.
  unknown_site,
  /// The request names a link this node does not terminate.
  unknown_link,
  /// No key with this id, or it was already handed out: keys are used once.
  unknown_key,
  /// The pool holds no unused key of this size; retry after the next key block.
  key_exhausted,
  /// No such order, transfer or VNF.
  not_found,
  /// The site is not joined, or left while it was asked.
  site_unreachable,
  /// A bound was reached (queue, parked connections, concurrent transfers); retry later.
  busy,
  /// The peer did not answer in time. The command may or may not have taken effect: ask for its
  /// state before repeating it.
  maybe_executed,
  /// A join or command of an older start of that site. Fenced off for ever.
  stale_epoch,
  /// Reading or writing a file failed.
  storage_failed,
  /// The data channel broke or ran into its deadline.
  channel_failed,
  /// The stream is not what its sender encrypted: header, frame, order or length.
  stream_corrupt,
  /// The stream is authentic but not the image the catalogue names.
  digest_mismatch,
  /// The VIM refused, failed or answered nonsense.
  vim_failed,
  /// The QKD device failed or lost its line.
  device_failed,
  /// Someone asked for the end of this.
  cancelled,
  /// A configuration or topology file is wrong.
  bad_config,
  /// A broken invariant. Always a bug in this code base.
  internal,
};

constexpr uint8_t ec_count = static_cast<uint8_t>(ec::internal) + 1;

/// The name of the code as written above. "?" for a value outside the enumeration.
std::string to_string(ec);

/// A code and a text for people: the error type of the pure code. Actors turn it into a
/// caf::error with `fail` of messages/message.hpp.
struct failure {
  ec code = ec::internal;
  std::string text;
};

} // namespace qnfv
