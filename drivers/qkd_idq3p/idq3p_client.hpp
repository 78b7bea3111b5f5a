#pragma once

#include "drivers/qkd_drawn/key_server_client.hpp"
#include "runtime/base/units.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace qnfv {

struct idq3p_client_settings {
  std::string server = "127.0.0.1:5323"; ///< Numeric.
  uint8_t device = 1;                    ///< 1 to 12: which encryptor asks.
  uint32_t first_request = 1; ///< Request ids count from here; random, so that a restarted
                              ///< client repeats none.
  duration silence = std::chrono::seconds{5};        ///< Then a request has no answer.
  duration repeat = std::chrono::milliseconds{1250}; ///< A request is repeated, to the letter.
  wire_tap tap = {};
};

/// The client of one IDQ3P key server: keys of 32 bytes, one request at a time. A key is called by
/// its 64-bit id in 16 hexadecimal digits.
///
/// The protocol's client takes 5 s of silence for "no more keys"; here it ends the question, with
/// the keys that came before or else with site_unreachable. A datagram that is damaged, of another
/// size or type, or that does not answer the request under way (id, request id, device, length) is
/// dropped.
///
/// The io_context must outlive the client. Errors: bad_config (the address), site_unreachable (no
/// socket).
result<std::unique_ptr<key_server_client>> make_idq3p_client(boost::asio::io_context&,
                                                             const idq3p_client_settings&);

} // namespace qnfv
