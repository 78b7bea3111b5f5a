#include "drivers/switch_openflow/openflow_listener.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace qnfv {

namespace {

using boost::asio::ip::tcp;
using error_code = boost::system::error_code;
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// Everything but the address runs on the strand.
class listener : public std::enable_shared_from_this<listener> {
public:
  listener(boost::asio::io_context& io, wire_tap tap)
    : io_(io), strand_(boost::asio::make_strand(io)), acceptor_(strand_), tap_(std::move(tap)) {}

  status start(const tcp::endpoint& where) {
    error_code error;
    acceptor_.open(where.protocol(), error);
    if (!error)
      acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
    if (!error)
      acceptor_.bind(where, error);
    if (!error)
      acceptor_.listen(16, error);
    if (error)
      return {ec::site_unreachable, "cannot listen for switches: " + error.message()};
    address_ = to_text(acceptor_.local_endpoint());
    return done{};
  }

  const std::string& address() const { return address_; }

  void serve(openflow_listener::taker take) {
    boost::asio::post(strand_, [self = shared_from_this(), take = std::move(take)]() mutable {
      self->take_ = std::move(take);
      if (!std::exchange(self->accepting_, true))
        self->accept();
    });
  }

  void stop() {
    boost::asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->take_ = nullptr;
    });
  }

private:
  void accept() {
    auto socket = std::make_shared<openflow_socket>(boost::asio::make_strand(io_));
    acceptor_.async_accept(*socket, [self = shared_from_this(), socket](error_code error) {
      if (!self->acceptor_.is_open() || !self->take_)
        return;
      if (error)
        // Out of descriptors: try again when some may be free.
        return self->accept_later();
      self->take_(std::make_shared<openflow_connection>(std::move(*socket), self->tap_));
      self->accept();
    });
  }

  void accept_later() {
    auto timer = std::make_shared<boost::asio::steady_timer>(strand_, accept_pause);
    timer->async_wait([self = shared_from_this(), timer](error_code) {
      if (self->acceptor_.is_open())
        self->accept();
    });
  }

  boost::asio::io_context& io_;
  openflow_strand strand_;
  boost::asio::basic_socket_acceptor<tcp, openflow_strand> acceptor_;
  const wire_tap tap_;
  std::string address_;
  openflow_listener::taker take_;
  bool accepting_ = false; ///< Since the first taker.
};

/// Stops with its last owner.
class owned_listener : public openflow_listener {
public:
  explicit owned_listener(std::shared_ptr<listener> x) : inside_(std::move(x)) {}
  ~owned_listener() override { inside_->stop(); }
  std::string address() const override { return inside_->address(); }
  void serve(taker take) override { inside_->serve(std::move(take)); }
  void stop() override { inside_->stop(); }

private:
  std::shared_ptr<listener> inside_;
};

} // namespace

result<std::shared_ptr<openflow_listener>>
listen_openflow(boost::asio::io_context& io, const openflow_listener_settings& settings) {
  auto where = parse_openflow_endpoint(settings.listen);
  if (!where)
    return where.error();
  if (!where->address().is_loopback() && !settings.beyond_loopback)
    return {ec::bad_config, settings.listen
                              + ": OpenFlow has no authentication; beyond loopback it must be "
                                "asked for (\"beyond_loopback\")"};
  auto out = std::make_shared<listener>(io, settings.tap);
  if (auto ok = out->start(*where); !ok)
    return failure{ok.error().code, settings.listen + ": " + ok.error().text};
  return std::shared_ptr<openflow_listener>{std::make_shared<owned_listener>(out)};
}

} // namespace qnfv
