#pragma once

// Load for a key server, and for what it is compared with: clients with kept connections, each of
// which does one thing after the other as fast as it is answered.

#include "drivers/http/client.hpp"

#include <functional>
#include <string>
#include <vector>

namespace qnfv {

struct load_server {
  std::string address;
  std::string path;          ///< Of the request, or what the key's id is put behind.
  std::string expected_name; ///< In its certificate.
  tls_files tls;             ///< The caller's.
};

struct load_settings {
  /// A pair: a key is drawn at the first, fetched at the second, and compared. With `fixed` the
  /// second is a GET of its path, and nothing is compared.
  load_server first, second;
  bool fixed = false;
  uint32_t clients = 1;
  double warm_up_s = 0.5;
  double seconds = 5;
  /// CPU time of the servers so far, in seconds.
  std::function<double()> server_cpu_s;
};

struct load_result {
  uint64_t pairs = 0;
  double pairs_per_s = 0;
  double server_cpu_us_per_pair = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Failure: the first one of any client; also if bits differ (digest_mismatch).
result<load_result> run_load(const load_settings&);

} // namespace qnfv
