#pragma once

// The seam of the bulk bytes. They do not travel as actor messages: a channel driver (an actor)
// opens byte channels, and the pumps of image_stream read and write them directly.
//
//   image_stream (sender) ----open_channel----> channel driver
//   image_stream (receiver) --expect_channel--> channel driver

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/messages/admin.hpp"
#include "runtime/messages/trace.hpp"

#include <functional>
#include <memory>

namespace qnfv {

/// One direction of bytes between two sites. All calls return at once; a completion runs exactly
/// once, on an I/O thread, never inside the call. At most one read and one write at a time.
/// Unauthenticated: what it carries must protect itself.
class byte_channel {
public:
  virtual ~byte_channel() = default;
  /// Reads exactly `n` bytes; fewer only if the sender finished. Failure: channel_failed.
  virtual void read(size_t n, std::function<void(result<bytes>)> then) = 0;
  /// Failure: channel_failed.
  virtual void write(bytes data, std::function<void(status)> then) = 0;
  /// No more bytes from this end; the reader sees the end after all of them.
  virtual void finish(std::function<void(status)> then) = 0;
  /// Ends both directions now; pending completions fail with channel_failed.
  virtual void close() = 0;
};

/// Where decrypted, verified bytes go: the VIM, or a file. Same calling rules as byte_channel.
class byte_sink {
public:
  virtual ~byte_sink() = default;
  virtual void write(bytes data, std::function<void(status)> then) = 0;
  /// The last bytes, given only after the whole stream was verified; until then nothing may become
  /// visible. Answers how the VIM names the image. Failure: vim_failed, storage_failed.
  virtual void finish(bytes last, std::function<void(result<std::string>)> then) = 0;
  /// Forgets everything written. Idempotent, and the destructor does it too.
  virtual void abort() = 0;
};

/// One-time token that ties a data connection to the offer made over the control connection.
using channel_token = std::array<uint8_t, 16>;

/// Connects to `address` and announces the transfer.
struct open_channel {
  site_id site;
  std::string address; ///< "10.0.0.2:7202"; channel_memory uses the site's name.
  transfer_id transfer;
  channel_token token{};
};
QNFV_MESSAGE(open_channel, site, address, transfer, token)

/// Waits for the announced connection, whether it has come already or not. A connection that
/// nobody expects is closed after the deadline; at most `max_parked` wait.
struct expect_channel {
  transfer_id transfer;
  channel_token token{};
};
QNFV_MESSAGE(expect_channel, transfer, token)

/// Local: holds the open channel.
struct channel_opened {
  std::shared_ptr<byte_channel> channel;
  trace_context opener; ///< At the expecting end: what the other end opened it for.
  friend std::string to_string(const channel_opened&) { return "channel_opened"; }
};

/// Where this site's driver listens, as peers must write it.
struct channel_address_query {};
QNFV_SIGNAL(channel_address_query)
struct channel_address {
  std::string address;
};
QNFV_MESSAGE(channel_address, address)

/// The CHANNEL interface. Promises, tested by tests/conformance/channel_test.cpp on every driver:
/// bytes arrive once and in order or the channel fails; a slow reader slows the writer; a wrong
/// token never meets an expectation; the expecting end learns what the other one works for; close at
/// one end ends the other.
using channel_actor = actor_of<
  // Errors: site_unreachable, channel_failed.
  caf::result<channel_opened>(open_channel),
  // Errors: channel_failed (nothing came before the deadline), busy.
  caf::result<channel_opened>(expect_channel),
  caf::result<channel_address>(channel_address_query),
  caf::result<void>(continuation)>;

} // namespace qnfv
