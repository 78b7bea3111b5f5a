#pragma once

#include "drivers/http/client.hpp"
#include "drivers/qkd_drawn/key_server_client.hpp"

#include <memory>

namespace qnfv {

struct kme_client_settings {
  std::string kme;           ///< "HOST:PORT"
  std::string expected_name; ///< In the KME's certificate; empty: HOST.
  tls_files tls;             ///< The certificate that names this end's SAE.
  http_tracing tracing = {};
  std::string other_sae;     ///< Of the other end: the slave to Bob's end, the master to Alice's.
  uint32_t request_keys_max = 8; ///< Where a KME does not say how many it takes.
  uint32_t fetch_tries = 4;      ///< Of a group of keys that the KME does not have yet.
  uint32_t fetch_wait_ms = 100;  ///< Before the second; doubles with each.
  duration fetch_deadline = std::chrono::seconds{20}; ///< Then what was fetched is all.
  duration answer_timeout = std::chrono::seconds{10};
};

/// The client of one KME, over one connection with mutual TLS. At Bob's end it is the master SAE
/// (status, enc_keys), at Alice's the slave (dec_keys).
///
///   answer            means
///   400, 404, 503     not enough now, or not yet: the standard has no code for it, so makes
///   differ;
///                     so do all other statuses that are no success
///   401, 403          not_allowed: this certificate is not the one of an SAE that may ask
///
/// dec_keys is all or nothing. A group that is refused is asked for again with growing waits (the
/// KMEs may still be talking to each other), then key by key: one missing key costs itself only.
///
/// The io_context must outlive the client. Errors: bad_config (files, address).
result<std::unique_ptr<key_server_client>> make_kme_client(boost::asio::io_context&,
                                                           const kme_client_settings&);

} // namespace qnfv
