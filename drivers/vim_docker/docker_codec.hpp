#pragma once

// The bodies of the Docker Engine API 1.41, without any socket. The engine's answers are not trusted:
// every parser takes any bytes.

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace qnfv::docker {

struct container_settings {
  uint64_t memory_bytes = 64u << 20;
  std::string network = "none";
};

/// "qnfv-firewall-3"
std::string container_name(const vnf_id&);

/// Body of POST /containers/create.
std::string create_body(const vnf_id&, const std::string& image, const container_settings&);

/// The name of the image that POST /images/load says it loaded. The engine answers 200 even for a
/// broken archive: only the body tells. Failure: vim_failed with the engine's words.
result<std::string> parse_load(unsigned status, std::string_view body);

/// "Id" of GET /images/NAME/json. Failure: vim_failed.
result<std::string> parse_image_id(unsigned status, std::string_view body);

struct container_state {
  bool ours = false; ///< It carries our label for this VNF.
  bool running = false;
  std::string detail; ///< "running, 3f2a..." for people.
};
/// GET /containers/NAME/json. Failure: vim_failed.
result<container_state> parse_container(std::string_view body, const vnf_id&);

/// The "message" of an error answer, or the status and the start of the body.
std::string error_text(unsigned status, std::string_view body);

/// A path segment: everything but letters, digits and -._:@ is percent-encoded.
std::string path_segment(std::string_view);

} // namespace qnfv::docker
