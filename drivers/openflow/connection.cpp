#include "drivers/openflow/connection.hpp"

#include "runtime/deployment/address.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <deque>

namespace qnfv {

namespace {

using boost::asio::ip::tcp;
using error_code = boost::system::error_code;

constexpr size_t read_bytes = 16384;
/// For the peer to take our last words.
constexpr auto farewell = std::chrono::seconds{2};

} // namespace

/// Everything runs on the socket's strand.
class openflow_connection::core : public std::enable_shared_from_this<core> {
public:
  core(openflow_socket s, wire_tap tap)
    : socket_(std::move(s)), tap_(std::move(tap)), ends_(ends_of("openflow", socket_)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
  }

  template <class F>
  void post(F run) {
    boost::asio::post(socket_.get_executor(),
                      [self = shared_from_this(), run = std::move(run)]() mutable { run(*self); });
  }

  void start(taker take, ender ended) {
    take_ = std::move(take);
    ended_ = std::move(ended);
    read();
  }

  void read() {
    if (closing_)
      return;
    socket_.async_read_some(
      boost::asio::buffer(buffer_),
      [self = shared_from_this()](error_code error, size_t n) { self->arrived(error, n); });
  }

  void send(bytes message) {
    if (closing_)
      return;
    if (tap_)
      tap_.sent(ends_, show_openflow(message));
    unsent_ += message.size();
    if (unsent_ > openflow_unsent_bytes_max)
      return end("the peer does not read");
    out_.push_back(std::move(message));
    if (out_.size() == 1)
      write();
  }

  void close() {
    closing_ = true;
    take_ = nullptr;
    ended_ = nullptr;
    if (out_.empty())
      return shut();
    auto timer = std::make_shared<boost::asio::steady_timer>(socket_.get_executor(), farewell);
    timer->async_wait([self = shared_from_this(), timer](error_code) { self->shut(); });
  }

private:
  void arrived(error_code error, size_t n) {
    if (closing_)
      return;
    if (error)
      return end(error == boost::asio::error::eof ? "the peer closed the connection"
                                                  : error.message());
    auto ok = splitter_.add({buffer_.data(), n});
    std::vector<bytes> messages;
    while (auto message = splitter_.next()) {
      if (tap_)
        tap_.received(ends_, show_openflow(*message));
      messages.push_back(std::move(*message));
    }
    auto none = messages.empty();
    if (!none && take_)
      take_(std::move(messages));
    if (!ok)
      return end(ok.error().text);
    if (none)
      read();
  }

  void write() {
    boost::asio::async_write(socket_, boost::asio::buffer(out_.front()),
                             [self = shared_from_this()](error_code error, size_t n) {
                               self->unsent_ -= n;
                               if (error) {
                                 self->out_.clear();
                                 return self->closing_ ? self->shut() : self->end(error.message());
                               }
                               self->out_.pop_front();
                               if (!self->out_.empty())
                                 self->write();
                               else if (self->closing_)
                                 self->shut();
                             });
  }

  void end(const std::string& why) {
    closing_ = true;
    shut();
    auto ended = std::move(ended_);
    ended_ = nullptr;
    take_ = nullptr;
    if (ended)
      ended(why);
  }

  void shut() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  openflow_socket socket_;
  const wire_tap tap_;
  const wire_ends ends_;
  taker take_;
  ender ended_;
  openflow_splitter splitter_;
  std::array<uint8_t, read_bytes> buffer_{};
  std::deque<bytes> out_;
  size_t unsent_ = 0;
  bool closing_ = false;
};

openflow_connection::openflow_connection(openflow_socket socket, wire_tap tap) {
  error_code ignored;
  peer_ = to_text(socket.remote_endpoint(ignored));
  core_ = std::make_shared<core>(std::move(socket), std::move(tap));
}

openflow_connection::~openflow_connection() {
  close();
}

void openflow_connection::start(taker take, ender ended) {
  core_->post([take = std::move(take), ended = std::move(ended)](core& x) mutable {
    x.start(std::move(take), std::move(ended));
  });
}

void openflow_connection::read_on() {
  core_->post([](core& x) { x.read(); });
}

void openflow_connection::send(bytes message) {
  core_->post([message = std::move(message), trace = current_trace()](core& x) mutable {
    trace_scope scope{std::move(trace)};
    x.send(std::move(message));
  });
}

void openflow_connection::close() {
  core_->post([](core& x) { x.close(); });
}

void dial_openflow(boost::asio::io_context& io, const tcp::endpoint& where, duration timeout,
                   std::function<void(result<std::shared_ptr<openflow_connection>>)> then,
                   wire_tap tap) {
  auto socket = std::make_shared<openflow_socket>(boost::asio::make_strand(io));
  auto timer = std::make_shared<boost::asio::steady_timer>(socket->get_executor(), timeout);
  timer->async_wait([socket, timer](error_code error) {
    error_code ignored;
    if (!error)
      socket->close(ignored);
  });
  socket->async_connect(where, [socket, timer, where, tap, then = std::move(then)](error_code error) {
    timer->cancel();
    if (error || !socket->is_open())
      return then(failure{ec::site_unreachable, "no connection to " + to_text(where) + ": "
                                                  + (error ? error.message() : "too slow")});
    then(std::make_shared<openflow_connection>(std::move(*socket), tap));
  });
}

result<tcp::endpoint> parse_openflow_endpoint(const std::string& text) {
  auto parsed = parse_host_port(text);
  if (!parsed)
    return parsed.error();
  auto where = parsed->endpoint();
  if (!where)
    return {ec::bad_config, text + ": not a numeric address"};
  return *where;
}

std::string to_text(const tcp::endpoint& x) {
  return endpoint_text(x);
}

} // namespace qnfv
