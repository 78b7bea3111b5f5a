#pragma once

// One connection between two gateways:
//
//   network <--peer_stream--> connection <--socket pair--> CAF's BASP broker
//
// Frames from the network are vetted, those from CAF pass as they are. Each direction holds one
// buffer and reads on when it has written, so a slow end slows the other. The gateway's thread
// only.

#include "runtime/base/units.hpp"
#include "runtime/deployment/stream.hpp"
#include "runtime/deployment/vet.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>

namespace qnfv {

class connection;

/// What the gateway does for its connections.
class connection_owner {
public:
  virtual ~connection_owner() = default;
  /// The peer has proved to be `name`. Vetting settings if it may enter.
  virtual result<vet_settings> admit(connection&, const std::string& name) = 0;
  /// Gives CAF its end of the socket pair.
  virtual void hand_over(connection&, int descriptor) = 0;
  /// The peer's node id is known; it waits for `proceed`.
  virtual void introduced(connection&) = 0;
  /// No more bytes go either way. Once.
  virtual void ended(connection&, const failure&) = 0;
  /// CAF has let go of its end too. Once, the last call.
  virtual void gone(connection&) = 0;
};

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(boost::asio::io_context&, connection_owner&, uint64_t id, std::unique_ptr<peer_stream>,
             std::optional<site_id> dialled, std::string address);

  /// The connection ends with `why` unless `proceed` comes before.
  void set_deadline(duration, failure why);
  /// The socket is connected: from here on all goes by itself.
  void start();
  /// Lets the peer's first frames through to CAF.
  void proceed();
  void end(failure why);

  uint64_t id() const { return id_; }
  /// The site dialled, or the name proved; empty before.
  const site_id& site() const { return site_; }
  const std::string& address() const { return address_; }
  bool dialled() const { return dialled_; }
  bool ending() const { return ending_; }
  bool admitted() const { return vetter_.has_value(); }
  const frame_vetter* vetter() const { return vetter_ ? &*vetter_ : nullptr; }
  peer_stream& stream() { return *stream_; }

  // The gateway's notes.
  bool waits = false;       ///< For an older connection of the same node to go.
  bool established = false; ///< Was reported as reached, or let in.
  bool forgetting = false;  ///< Is gone, but CAF may still think of it.
  bool muted = false;       ///< Its end is nobody's news.
  bool vetting_failed = false;

private:
  void enter(const std::string& name);
  void read_network();
  void write_caf();
  void read_caf();
  void finish();

  connection_owner& owner_;
  const uint64_t id_;
  std::unique_ptr<peer_stream> stream_;
  boost::asio::local::stream_protocol::socket caf_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer linger_;
  const bool dialled_;
  site_id site_;
  std::string address_;
  std::optional<frame_vetter> vetter_;
  bytes from_network_;
  bytes vetted_;
  bytes from_caf_;
  bool ending_ = false;
  bool gone_ = false;
};

} // namespace qnfv
