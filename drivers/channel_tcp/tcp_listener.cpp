#include "drivers/channel_tcp/channel_tcp.hpp"
#include "drivers/channel_tcp/preface.hpp"
#include "drivers/channel_tcp/tcp_channel.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace qnfv {

namespace {

using boost::asio::ip::tcp;
using error_code = boost::system::error_code;

result<tcp::endpoint> parse_endpoint(const std::string& text) {
  auto colon = text.rfind(':');
  error_code error;
  if (colon == std::string::npos)
    return {ec::bad_config, text + ": expected HOST:PORT"};
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  auto address = boost::asio::ip::make_address(host, error);
  auto port = std::strtoul(text.c_str() + colon + 1, nullptr, 10);
  if (error || port > 65535)
    return {ec::bad_config, text + ": not a numeric address and port"};
  return tcp::endpoint{address, static_cast<uint16_t>(port)};
}

/// Everything but `expect`, `open` and `address` runs on the strand.
class listener : public tcp_listener, public std::enable_shared_from_this<listener> {
public:
  listener(std::shared_ptr<io_pool> io, tcp_listener_settings s)
    : io_(std::move(io)), strand_(boost::asio::make_strand(io_->context())), acceptor_(strand_),
      s_(s) {}

  status start(const tcp::endpoint& where) {
    error_code error;
    acceptor_.open(where.protocol(), error);
    if (!error)
      acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
    if (!error)
      acceptor_.bind(where, error);
    if (!error)
      acceptor_.listen(64, error);
    if (error)
      return {ec::site_unreachable, "cannot listen for image data: " + error.message()};
    address_ = endpoint_text(acceptor_.local_endpoint());
    boost::asio::post(strand_, [self = shared_from_this()] { self->accept(); });
    return done{};
  }

  std::string address() const override { return address_; }

  void expect(const expect_channel& ask, taker take) override {
    boost::asio::post(strand_, [self = shared_from_this(), ask, take = std::move(take)]() mutable {
      self->expected(ask, std::move(take));
    });
  }

  void open(const open_channel& ask, duration timeout, taker take) override {
    auto where = parse_endpoint(ask.address);
    if (!where)
      return io_->post([take = std::move(take), why = where.error()] { take(why); });
    auto socket = std::make_shared<tcp_socket>(boost::asio::make_strand(io_->context()));
    auto timer = std::make_shared<boost::asio::steady_timer>(socket->get_executor(), timeout);
    auto first = std::make_shared<bytes>(encode(preface{ask.transfer, ask.token, current_trace()}));
    timer->async_wait([socket](error_code error) {
      error_code ignored;
      if (!error)
        socket->close(ignored);
    });
    auto finish = [socket, timer, take = std::move(take), where = ask.address](error_code error) {
      timer->cancel();
      if (error)
        return take(failure{ec::site_unreachable, "no data connection to " + where + ": "
                                                    + error.message()});
      take(channel_opened{make_tcp_channel(socket), {}});
    };
    socket->async_connect(*where, [socket, first, finish](error_code error) {
      if (error)
        return finish(error);
      boost::asio::async_write(*socket, boost::asio::buffer(*first),
                               [first, finish](error_code e, size_t) { finish(e); });
    });
  }

  void stop() override {
    boost::asio::post(strand_, [self = shared_from_this()] {
      self->stopped_ = true;
      error_code ignored;
      self->acceptor_.close(ignored);
      self->meetings_.clear();
    });
  }

private:
  struct meeting {
    channel_token token{};
    std::shared_ptr<tcp_socket> parked;
    trace_context opener; ///< Of the parked one.
    taker expecting;
    std::shared_ptr<boost::asio::steady_timer> timer;
  };

  void accept() {
    if (stopped_)
      return;
    auto socket = std::make_shared<tcp_socket>(boost::asio::make_strand(io_->context()));
    acceptor_.async_accept(*socket, [self = shared_from_this(), socket](error_code error) {
      if (self->stopped_)
        return;
      if (!error && self->greeting_ < self->s_.parked_max)
        self->greet(socket);
      else if (error)
        // Out of descriptors: try again when some may be free.
        return self->accept_later();
      self->accept();
    });
  }

  void accept_later() {
    auto timer = std::make_shared<boost::asio::steady_timer>(strand_, std::chrono::milliseconds{100});
    timer->async_wait([self = shared_from_this(), timer](error_code) { self->accept(); });
  }

  void greet(const std::shared_ptr<tcp_socket>& socket) {
    ++greeting_;
    auto first = std::make_shared<bytes>(preface_head_bytes);
    auto timer = std::make_shared<boost::asio::steady_timer>(
      socket->get_executor(), std::chrono::milliseconds{s_.preface_deadline_ms});
    timer->async_wait([socket](error_code error) {
      error_code ignored;
      if (!error)
        socket->close(ignored);
    });
    boost::asio::post(socket->get_executor(), [self = shared_from_this(), socket, first, timer] {
      // What it announces, and then that much.
      boost::asio::async_read(
        *socket, boost::asio::buffer(*first), [self, socket, first, timer](error_code error, size_t) {
          auto tail = error ? std::nullopt : preface_tail_bytes(*first);
          first->resize(preface_head_bytes + tail.value_or(0));
          if (!tail)
            return self->greeted(socket, *first, timer);
          boost::asio::async_read(*socket, boost::asio::buffer(*first) + preface_head_bytes,
                                  [self, socket, first, timer](error_code, size_t) {
                                    self->greeted(socket, *first, timer);
                                  });
        });
    });
  }

  /// On the socket's strand. What did not come is zero, and no preface.
  void greeted(const std::shared_ptr<tcp_socket>& socket, const bytes& first,
               const std::shared_ptr<boost::asio::steady_timer>& timer) {
    timer->cancel();
    boost::asio::post(strand_, [self = shared_from_this(), socket, x = decode_preface(first)] {
      --self->greeting_;
      if (x)
        self->arrived(socket, *x);
    });
  }

  void arrived(const std::shared_ptr<tcp_socket>& socket, const preface& x) {
    auto met = meetings_.find(x.transfer);
    if (met == meetings_.end()) {
      if (meetings_.size() < s_.parked_max)
        meetings_[x.transfer] = {x.token, socket, x.opener, nullptr, deadline(x.transfer)};
      return;
    }
    // A wrong token, or a second connection: it meets nobody.
    if (!met->second.expecting || !equal_constant_time(met->second.token, x.token))
      return;
    auto take = std::move(met->second.expecting);
    meetings_.erase(met);
    take(channel_opened{make_tcp_channel(socket), x.opener});
  }

  void expected(const expect_channel& ask, taker take) {
    auto met = meetings_.find(ask.transfer);
    if (met != meetings_.end() && met->second.parked) {
      channel_opened parked{make_tcp_channel(met->second.parked), met->second.opener};
      auto right = equal_constant_time(met->second.token, ask.token);
      meetings_.erase(met);
      if (right)
        return take(std::move(parked));
      met = meetings_.end(); // The right one may still come.
    }
    if (met != meetings_.end() || meetings_.size() >= s_.parked_max)
      return take(failure{ec::busy, "too many data connections are waited for"});
    meetings_[ask.transfer] = {ask.token, nullptr, {}, std::move(take), deadline(ask.transfer)};
  }

  std::shared_ptr<boost::asio::steady_timer> deadline(const transfer_id& transfer) {
    auto timer = std::make_shared<boost::asio::steady_timer>(
      strand_, std::chrono::milliseconds{s_.parked_deadline_ms});
    timer->async_wait([self = shared_from_this(), transfer, timer](error_code error) {
      auto met = self->meetings_.find(transfer);
      if (error || met == self->meetings_.end() || met->second.timer != timer)
        return;
      auto take = std::move(met->second.expecting);
      self->meetings_.erase(met);
      if (take)
        take(failure{ec::channel_failed, "no data connection came"});
    });
    return timer;
  }

  std::shared_ptr<io_pool> io_;
  tcp_strand strand_;
  boost::asio::basic_socket_acceptor<tcp, tcp_strand> acceptor_;
  const tcp_listener_settings s_;
  std::string address_;
  uint32_t greeting_ = 0;
  bool stopped_ = false;
  std::map<transfer_id, meeting> meetings_;
};

} // namespace

result<std::shared_ptr<tcp_listener>> listen_on(std::shared_ptr<io_pool> io,
                                                const std::string& address,
                                                tcp_listener_settings settings) {
  auto where = parse_endpoint(address);
  if (!where)
    return where.error();
  auto out = std::make_shared<listener>(std::move(io), settings);
  if (auto ok = out->start(*where); !ok)
    return failure{ok.error().code, address + ": " + ok.error().text};
  return std::shared_ptr<tcp_listener>{out};
}

} // namespace qnfv
