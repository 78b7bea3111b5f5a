#pragma once

#include "runtime/base/result.hpp"
#include "runtime/base/units.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/system/io.hpp"

#include <functional>
#include <memory>
#include <string>

namespace qnfv::docker {

/// The engine behind a unix socket. Calls back once, on an I/O thread.
struct engine {
  std::shared_ptr<io_pool> io;
  std::string socket;
  duration timeout = std::chrono::seconds{30};   ///< For one small request.
  duration load_idle = std::chrono::seconds{300}; ///< For each step of a load.
};

struct answer {
  unsigned status = 0;
  std::string body; ///< At most 1 MiB.
};

/// One request. Failure: vim_failed (no engine there, no answer in time, an answer too large).
void request(const engine&, const std::string& method, const std::string& target,
             const std::string& body, std::function<void(result<answer>)> then);

/// POST /images/load, chunk by chunk. The last chunk leaves only with `finish`; before it the engine
/// shows no image, and a connection that ends without it leaves nothing. Answers the image's id.
std::shared_ptr<byte_sink> make_load_sink(const engine&);

} // namespace qnfv::docker
