#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/io.hpp"
#include "runtime/system/random.hpp"
#include "runtime/tracing/recorder.hpp"

#include <functional>
#include <memory>

namespace qnfv {

/// What the network does to a message between two sites. A real network needs none of this; a
/// simulation and fault injection do.
struct passage {
  bool drop = false;
  duration delay{0};
  bool twice = false; ///< It arrives a second time, after `second_delay`.
  duration second_delay{0};
};

class network {
public:
  virtual ~network() = default;
  virtual passage judge(const site_id& from, const site_id& to) = 0;
};

/// All that an actor of a site may touch of the world. No actor reads a clock, a random source, a
/// file or a socket in any other way, so the same actors run in a lab and in a simulation.
struct environment {
  site_id site;
  std::shared_ptr<const qnfv::clock> clock;
  std::shared_ptr<random_source> random;
  std::shared_ptr<qnfv::storage> storage;
  std::shared_ptr<io_pool> io;
  /// Runs work that may wait for a disk, off the actors' threads.
  std::function<void(std::function<void()>)> on_disk;
  std::shared_ptr<qnfv::recorder> recorder; ///< Null: no tracing.
  std::shared_ptr<qnfv::network> network;   ///< Null: messages between sites just pass.
};

using environment_ptr = std::shared_ptr<const environment>;

} // namespace qnfv
