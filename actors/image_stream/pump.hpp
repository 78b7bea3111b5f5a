#pragma once

// The pumps move one image between a file, a channel and a sink, off the actors' threads. Reading,
// sealing and writing (or reading, opening, hashing and installing) run at the same time on
// different segments; at most `segments_in_flight` segments are in memory at each end.
//
//   sender:    file --read--> seal --ordered--> channel
//   receiver:  channel --> open --ordered--> hash --ordered--> sink
//
// All calls return at once and may come from any thread. A pump calls back once, on an I/O thread.

#include "runtime/crypto/qvs1.hpp"
#include "runtime/crypto/sha256.hpp"
#include "runtime/messages/channels.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/system/io.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace qnfv {

/// How a pump ended. `code` none: all went well.
struct pump_outcome {
  failure why{ec::none, {}};
  std::string digest;    ///< Receiver: SHA-256 of the plaintext.
  std::string vim_image; ///< Receiver: as the sink named it.
};

class pump {
public:
  virtual ~pump() = default;
  virtual void start() = 0;
  /// Ends it with `why` unless it has ended: closes the channel, aborts the sink.
  virtual void cancel(failure why) = 0;
  /// Plaintext bytes that have left or arrived.
  uint64_t done_bytes() const { return done_bytes_.load(std::memory_order_relaxed); }
  /// True while it needs the other site: an idle channel is then a broken one.
  bool needs_channel() const { return needs_channel_.load(std::memory_order_relaxed); }
  /// Most segments ever held at a time; for tests.
  uint32_t most_segments() const { return most_segments_.load(std::memory_order_relaxed); }

protected:
  std::atomic<uint64_t> done_bytes_{0};
  std::atomic<bool> needs_channel_{true};
  std::atomic<uint32_t> most_segments_{0};
};

using pump_done = std::function<void(pump_outcome)>;

struct sender_settings {
  std::shared_ptr<file_reader> file;
  uint64_t size_bytes = 0; ///< A file of another size is refused.
  std::shared_ptr<byte_channel> channel;
  uint32_t segments_in_flight = 4;
};
std::shared_ptr<pump> make_sender(std::shared_ptr<io_pool>, qvs1::cipher, sender_settings, pump_done);

struct receiver_settings {
  secret key;
  key_id id;
  transfer_id stream;
  uint64_t size_bytes = 0;
  std::string digest; ///< SHA-256 that the plaintext must have, hexadecimal.
  std::shared_ptr<byte_channel> channel;
  std::shared_ptr<byte_sink> sink;
  uint32_t segments_in_flight = 4;
  uint8_t segment_log2_max = 24; ///< Larger segments are refused before anything is allocated.
};
std::shared_ptr<pump> make_receiver(std::shared_ptr<io_pool>, receiver_settings, pump_done);

} // namespace qnfv
