#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/io.hpp"
#include "runtime/system/meters.hpp"
#include "runtime/system/quarantine.hpp"
#include "runtime/system/random.hpp"
#include "runtime/tracing/wire_tap.hpp"

#include <caf/type_erased_tuple.hpp>

#include <functional>
#include <memory>

namespace qnfv {

class recorder;

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
  virtual passage judge(const site_id& from, const site_id& to,
                        const caf::type_erased_tuple& content) = 0;
};

/// All that an actor of a site may touch of the world. No actor reads a clock, a random source, a
/// file or a socket in any other way, so the same actors run in a lab and in a simulation.
struct environment {
  site_id site;
  /// Tells the sites of one lab from those of another, whose names may be the same.
  std::string lab;
  std::shared_ptr<const qnfv::clock> clock;
  std::shared_ptr<random_source> random;
  std::shared_ptr<qnfv::storage> storage;
  std::shared_ptr<io_pool> io;
  /// Runs work that may wait for a disk, off the actors' threads.
  std::function<void(std::function<void()>)> on_disk;
  std::shared_ptr<qnfv::recorder> recorder; ///< Null: no tracing.
  size_t wire_bytes_max = 512; ///< It keeps of each piece on a wire; 0: no pieces.
  std::shared_ptr<qnfv::network> network;   ///< Null: messages between sites just pass.
  /// Messages that one mailbox holds; then requests are answered with `busy` and other messages of
  /// other actors are thrown away and counted. 0: no bound.
  size_t mailbox_max = 0;
  std::shared_ptr<qnfv::meters> meters;         ///< Null: nothing is measured.
  std::shared_ptr<qnfv::quarantine> quarantine; ///< Null: every message is let in.
  /// Sees every message that enters a mailbox; empty: nobody does.
  std::function<void(const caf::type_erased_tuple&)> on_arrival;

  /// Where a driver shows what is on its wires.
  wire_tap tap() const { return {recorder, clock, wire_bytes_max}; }
};

using environment_ptr = std::shared_ptr<const environment>;

} // namespace qnfv
