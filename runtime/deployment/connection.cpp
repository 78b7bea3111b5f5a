#include "runtime/deployment/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace qnfv {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr size_t buffer_bytes = 64u << 10;
/// CAF closes its end as soon as it has read ours; this is for a CAF that hangs.
constexpr auto linger_time = std::chrono::seconds(1);
constexpr int idle_s = 60;

} // namespace

connection::connection(asio::io_context& io, connection_owner& owner, uint64_t id,
                       std::unique_ptr<peer_stream> stream, std::optional<site_id> dialled,
                       std::string address)
    : owner_(owner), id_(id), stream_(std::move(stream)), caf_(io), deadline_(io), linger_(io),
      dialled_(dialled.has_value()), site_(dialled.value_or(site_id{})),
      address_(std::move(address)) {}

void connection::set_deadline(duration wait, failure why) {
  deadline_.expires_after(wait);
  deadline_.async_wait([self = shared_from_this(), why = std::move(why)](error_code error) {
    if (!error)
      self->end(why);
  });
}

void connection::start() {
  error_code ignored;
  auto& socket = stream_->socket();
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  // An operator sends no heartbeats: a host that vanished must not hold its place for ever.
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  stream_->handshake(dialled_, [self = shared_from_this()](result<std::string> name) {
    if (self->ending_)
      return;
    if (!name)
      return self->end(name.error());
    self->enter(*name);
  });
}

void connection::enter(const std::string& name) {
  auto settings = owner_.admit(*this, name);
  if (!settings)
    return end(settings.error());
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
    return end({ec::busy, std::string("no socket pair: ") + std::strerror(errno)});
  caf_.assign(asio::local::stream_protocol(), pair[0]);
  site_ = site_id{name};
  vetter_.emplace(std::move(*settings));
  from_network_.resize(buffer_bytes);
  from_caf_.resize(buffer_bytes);
  owner_.hand_over(*this, pair[1]);
  read_network();
  read_caf();
}

void connection::read_network() {
  auto received = [self = shared_from_this()](error_code error, size_t n) {
    if (self->ending_)
      return;
    if (error) {
      // In TLS 1.3 a client is through before the server has seen its certificate.
      auto refused = !self->vetter_->introduced();
      auto what = error == asio::error::eof ? "the peer closed the connection" : error.message();
      return self->end({refused ? ec::not_allowed : ec::site_unreachable,
                        refused ? "refused by the peer: " + what : what});
    }
    bool known = self->vetter_->introduced();
    auto verdict = self->vetter_->feed({self->from_network_.data(), n}, self->vetted_);
    if (!verdict) {
      self->vetting_failed = true;
      return self->end({ec::not_allowed, "the peer sent " + verdict.error().text});
    }
    if (!known && self->vetter_->introduced())
      return self->owner_.introduced(*self);
    self->write_caf();
  };
  stream_->read_some(asio::buffer(from_network_), std::move(received));
}

void connection::proceed() {
  if (ending_)
    return;
  deadline_.cancel();
  write_caf();
}

void connection::write_caf() {
  auto written = [self = shared_from_this()](error_code error, size_t) {
    self->vetted_.clear();
    if (self->ending_)
      return;
    if (error)
      return self->end({ec::site_unreachable, "CAF closed the connection"});
    self->read_network();
  };
  asio::async_write(caf_, asio::buffer(vetted_), std::move(written));
}

void connection::read_caf() {
  auto received = [self = shared_from_this()](error_code error, size_t n) {
    if (error) {
      self->end({ec::site_unreachable, "CAF closed the connection"});
      return self->finish();
    }
    if (self->ending_)
      return self->read_caf(); // What CAF still writes goes nowhere; we wait for its end.
    self->stream_->write(asio::buffer(self->from_caf_.data(), n), [self](error_code failed) {
      if (failed)
        self->end({ec::site_unreachable, failed.message()});
      self->read_caf();
    });
  };
  caf_.async_read_some(asio::buffer(from_caf_), std::move(received));
}

void connection::end(failure why) {
  if (ending_)
    return;
  ending_ = true;
  deadline_.cancel();
  owner_.ended(*this, why);
  error_code ignored;
  stream_->socket().close(ignored);
  if (!caf_.is_open()) {
    asio::post(caf_.get_executor(), [self = shared_from_this()] { self->finish(); });
    return;
  }
  caf_.shutdown(asio::local::stream_protocol::socket::shutdown_send, ignored);
  linger_.expires_after(linger_time);
  linger_.async_wait([self = shared_from_this()](error_code error) {
    error_code ignored_too;
    if (!error)
      self->caf_.close(ignored_too);
  });
}

void connection::finish() {
  if (gone_)
    return;
  gone_ = true;
  linger_.cancel();
  error_code ignored;
  caf_.close(ignored);
  owner_.gone(*this);
}

} // namespace qnfv
