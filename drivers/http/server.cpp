#include "drivers/http/server.hpp"

#include "drivers/http/mask.hpp"
#include "drivers/http/request_parser.hpp"
#include "drivers/http/stream.hpp"
#include "drivers/http/tls.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/w3c.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace qnfv {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using io_executor = asio::io_context::executor_type;
using io_strand = http_stream::executor_type;
using side = http_stream::side;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_strand>;

constexpr size_t record_bytes = 16384; ///< The most that TLS sends in one piece.
constexpr size_t header_read_bytes = 4096;
/// For the peer to read our last words: bytes of its that nobody reads would destroy them.
constexpr auto farewell_timeout = std::chrono::seconds{2};
constexpr auto accept_pause = std::chrono::milliseconds{100};

result<tcp::endpoint> parse_endpoint(const std::string& text) {
  failure bad{ec::bad_config,
              "\"" + text + "\" is no numeric address and port, e.g. 127.0.0.1:7301"};
  auto colon = text.rfind(':');
  if (colon == std::string::npos)
    return bad;
  auto host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  error_code error;
  auto address = asio::ip::make_address(host, error);
  uint16_t port = 0;
  auto* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (error || parsed.ec != std::errc{} || parsed.ptr != end)
    return bad;
  return tcp::endpoint{address, port};
}

http_response message(uint16_t status, std::string_view text) {
  http_response out;
  out.status = status;
  out.body = secret{byte_view{"{\"message\": \"" + std::string(text) + "\"}"}};
  return out;
}

http_response refusal(const error_code& why) {
  if (why == http::error::body_limit)
    return message(413, "the body is too large");
  if (why == http::error::header_limit || why == http::error::buffer_overflow)
    return message(431, "the header is too large");
  return message(400, "this is not HTTP");
}

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// False if the peer would read something else than was meant.
bool can_be_sent(const http_response& x) {
  return x.status >= 200 && x.status <= 599 && !has_control(x.content_type)
         && std::all_of(x.headers.begin(), x.headers.end(), [](auto& header) {
              return !header.first.empty() && !has_control(header.first)
                     && header.first.find_first_of(": ") == std::string::npos
                     && !has_control(header.second);
            });
}

void append_number(std::string& to, uint64_t x) {
  char digits[20];
  to.append(digits, std::to_chars(digits, digits + sizeof digits, x).ptr);
}

} // namespace

class http_server::core : public std::enable_shared_from_this<core> {
public:
  class connection;

  core(asio::io_context& io, const http_server_settings& s, http_handler h,
       std::shared_ptr<asio::ssl::context> t)
    : settings(s), handler(std::move(h)), tls(std::move(t)), time(make_real_clock()),
      shortest_timeout(std::min({s.handshake_timeout, s.header_timeout, s.body_timeout,
                                 s.answer_timeout, s.idle_timeout, duration{farewell_timeout}})),
      io_(io), acceptor_(io.get_executor()), pause_(io.get_executor()) {}

  status listen(const tcp::endpoint& where) {
    error_code error;
    acceptor_.open(where.protocol(), error);
    if (!error)
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error)
      acceptor_.bind(where, error);
    if (!error)
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error)
      port_ = acceptor_.local_endpoint(error).port();
    if (error)
      return {ec::site_unreachable, settings.listen + ": cannot listen: " + error.message()};
    std::lock_guard<std::mutex> guard{mutex_};
    accept();
    return done{};
  }

  void stop();
  void forget(connection*);

  uint16_t port() const { return port_; }
  bool stopped() const { return stopped_; }
  size_t connections() const {
    std::lock_guard<std::mutex> guard{mutex_};
    return connections_.size();
  }

  const http_server_settings settings;
  const http_handler handler;
  const std::shared_ptr<asio::ssl::context> tls; ///< Null: none.
  const std::shared_ptr<const clock> time;
  const duration shortest_timeout;

private:
  using socket = http_stream::socket;

  /// Needs the mutex.
  void accept() {
    acceptor_.async_accept(asio::make_strand(io_.get_executor()),
                           [self = shared_from_this()](error_code error, socket s) {
                             self->accepted(error, std::move(s));
                           });
  }
  void accepted(error_code, socket);

  asio::io_context& io_;
  mutable std::mutex mutex_; ///< Of what follows.
  asio::basic_socket_acceptor<tcp, io_executor> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, io_executor>
    pause_;
  std::unordered_map<connection*, std::weak_ptr<connection>> connections_;
  std::atomic<bool> stopped_{false};
  uint16_t port_ = 0;
};

/// Everything runs on the socket's strand. What is under way holds the connection, the timer always
/// does; a reply that was handed out does not.
class http_server::core::connection : public std::enable_shared_from_this<connection> {
public:
  connection(std::shared_ptr<core> server, socket s)
    : server_(std::move(server)), stream_(std::move(s), server_->tls.get()),
      timer_(stream_.get_executor()), in_(server_->settings.header_limit_bytes + record_bytes),
      ends_(ends_of("http", stream_.next_layer())),
      requests_(http_mask::direction::requests, server_->settings.tracing.shown),
      answers_(http_mask::direction::answers, server_->settings.tracing.shown) {}

  void start() {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->greet(); });
  }

  void close_soon() {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->close(); });
  }

private:
  /// The connection ends unless the next step begins within `d`.
  void within(duration d) { deadline_ = server_->time->now() + d; }

  /// One timer for all deadlines, so that a request does not touch it: no deadline set later can
  /// come before now + shortest_timeout.
  void watch() {
    timer_.expires_at(std::min(deadline_, server_->time->now() + server_->shortest_timeout));
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->closed_)
        return;
      if (self->server_->time->now() >= self->deadline_)
        return self->close();
      self->watch();
    });
  }

  void greet() {
    if (closed_)
      return;
    within(server_->settings.handshake_timeout);
    watch();
    error_code ignored;
    stream_.next_layer().set_option(tcp::no_delay(true), ignored);
    stream_.async_handshake(side::server, [self = shared_from_this()](error_code error) {
      if (self->closed_)
        return;
      if (error)
        return self->drain(); // So that the peer reads the alert that says why.
      if (self->server_->settings.security == http_security::mutual_tls) {
        auto names = peer_names(self->stream_.ssl());
        if (!names)
          return self->close();
        self->caller_ = std::move(*names);
      }
      self->expect_request();
    });
  }

  void received(byte_view piece) {
    if (server_->settings.tracing.tap)
      server_->settings.tracing.tap.received(ends_, requests_.show(piece));
  }

  void sent(byte_view piece) {
    if (!server_->settings.tracing.tap)
      return;
    trace_scope scope{trace_};
    server_->settings.tracing.tap.sent(ends_, answers_.show(piece));
  }

  void expect_request() {
    trace_ = {};
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(server_->settings.header_limit_bytes);
    parser_->body_limit(server_->settings.body_limit_bytes);
    started_ = in_.size() > 0;
    within(started_ ? server_->settings.header_timeout : server_->settings.idle_timeout);
    if (started_)
      parse();
    else
      read();
  }

  void read() {
    auto size = std::min(parser_->is_header_done() ? record_bytes : header_read_bytes,
                         in_.max_size() - in_.size());
    stream_.async_read_some(in_.prepare(size),
                            [self = shared_from_this()](error_code error, size_t n) {
                              if (self->closed_)
                                return;
                              if (error)
                                return self->close();
                              self->in_.commit(n);
                              auto all = self->in_.data();
                              self->received({static_cast<const uint8_t*>(all.data()) + all.size() - n, n});
                              self->arrived();
                            });
  }

  void arrived() {
    if (!started_) {
      started_ = true;
      within(server_->settings.header_timeout);
    }
    parse();
  }

  void parse() {
    auto had_header = parser_->is_header_done();
    error_code error;
    in_.consume(parser_->take(in_.data(), error));
    if (error == http::error::need_more)
      error = in_.size() < in_.max_size() ? error_code{} : http::error::buffer_overflow;
    if (error)
      return refuse(refusal(error));
    if (parser_->is_done())
      return serve();
    if (parser_->is_header_done() && !had_header) {
      within(server_->settings.body_timeout);
      if (parser_->expects_continue)
        return invite();
    }
    read();
  }

  /// The client waits for our word before it sends the body.
  void invite() {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    sent(byte_view{go_on});
    asio::async_write(stream_, asio::const_buffer(go_on.data(), go_on.size()),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (self->closed_)
                          return;
                        if (error)
                          return self->close();
                        self->read();
                      });
  }

  void serve() {
    if (server_->stopped())
      return close();
    keep_ = parser_->keep_alive();
    headless_ = parser_->request.method == "HEAD";
    within(server_->settings.answer_timeout);
    waiting_ = true;
    parser_->request.caller = caller_;
    trace_ = from_w3c({parser_->traceparent, parser_->tracestate}, server_->settings.tracing.lab);
    trace_scope scope{trace_};
    server_->handler(std::move(parser_->request),
                     [weak = weak_from_this(), turn = ++turn_](http_response x) {
                       auto self = weak.lock();
                       if (!self)
                         return;
                       auto executor = self->stream_.get_executor();
                       asio::dispatch(executor,
                                      [self = std::move(self), turn, x = std::move(x)]() mutable {
                                        if (self->waiting_ && self->turn_ == turn)
                                          self->answer(std::move(x));
                                      });
                     });
  }

  void refuse(http_response x) {
    keep_ = false;
    headless_ = false;
    answer(std::move(x));
  }

  void answer(http_response x) {
    waiting_ = false;
    if (closed_)
      return;
    if (!can_be_sent(x))
      x = message(500, "the answer cannot be sent");
    within(server_->settings.body_timeout);
    write_head(x);
    if (headless_ || x.status == 204 || x.status == 304)
      x.body = {};
    body_ = std::move(x.body);
    if (head_.size() + body_.size() > record_bytes)
      return write(asio::const_buffer(head_.data(), head_.size()));
    // One record, one write. The place is secret like what it holds.
    out_ = secret{head_.size() + body_.size()};
    std::memcpy(out_.data(), head_.data(), head_.size());
    if (!body_.empty())
      std::memcpy(out_.data() + head_.size(), body_.view().data(), body_.size());
    body_ = {};
    write(asio::const_buffer(out_.data(), out_.size()));
  }

  void write_head(const http_response& x) {
    head_.assign("HTTP/1.1 ");
    append_number(head_, x.status);
    auto reason = http::obsolete_reason(static_cast<http::status>(x.status));
    head_.append(" ").append(reason.data(), reason.size());
    if (!x.content_type.empty() && (!x.body.empty() || headless_))
      head_.append("\r\nContent-Type: ").append(x.content_type);
    for (auto& [name, value] : x.headers)
      head_.append("\r\n").append(name).append(": ").append(value);
    if (x.status != 204 && x.status != 304) {
      head_.append("\r\nContent-Length: ");
      append_number(head_, x.body.size());
    }
    head_.append(keep_ ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
  }

  void write(asio::const_buffer what) {
    sent({static_cast<const uint8_t*>(what.data()), what.size()});
    asio::async_write(stream_, what, [self = shared_from_this()](error_code error, size_t) {
      if (self->closed_)
        return;
      if (error)
        return self->close();
      self->written();
    });
  }

  void written() {
    out_ = {};
    if (!body_.empty()) {
      out_ = std::move(body_);
      body_ = {};
      return write(asio::const_buffer(out_.data(), out_.size()));
    }
    if (keep_)
      return expect_request();
    within(farewell_timeout);
    stream_.async_shutdown([self = shared_from_this()](error_code) {
      if (!self->closed_)
        self->drain();
    });
  }

  /// Reads until the peer goes, and ignores it.
  void drain() {
    within(farewell_timeout);
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    in_.clear();
    drain_more();
  }

  void drain_more() {
    stream_.next_layer().async_read_some(in_.prepare(header_read_bytes),
                                         [self = shared_from_this()](error_code error, size_t) {
                                           if (self->closed_)
                                             return;
                                           if (error)
                                             return self->close();
                                           self->drain_more();
                                         });
  }

  void close() {
    if (closed_)
      return;
    closed_ = true;
    error_code ignored;
    stream_.next_layer().close(ignored);
    timer_.cancel();
    server_->forget(this);
  }

  const std::shared_ptr<core> server_;
  http_stream stream_;
  timer timer_;
  time_point deadline_;
  caller_names caller_;
  beast::flat_buffer in_;
  std::optional<http_request_parser> parser_;
  bool started_ = false; ///< The first byte of a request is here.
  uint64_t turn_ = 0;    ///< Requests so far; a reply is for one of them.
  bool waiting_ = false; ///< For the reply of this turn.
  bool keep_ = false;
  bool headless_ = false; ///< The answer to HEAD: the header of what GET would get.
  bool closed_ = false;
  const wire_ends ends_;
  http_mask requests_, answers_;
  trace_context trace_; ///< Of the request that is being answered.
  std::string head_;
  secret out_, body_; ///< Being sent, and what follows it.
};

void http_server::core::accepted(error_code error, socket s) {
  std::lock_guard<std::mutex> guard{mutex_};
  if (stopped_)
    return;
  if (error) {
    // Out of descriptors: try again when some may be free.
    pause_.expires_after(accept_pause);
    return pause_.async_wait([self = shared_from_this()](error_code) {
      std::lock_guard<std::mutex> inner{self->mutex_};
      if (!self->stopped_)
        self->accept();
    });
  }
  if (connections_.size() < settings.connections_max) {
    auto x = std::make_shared<connection>(shared_from_this(), std::move(s));
    connections_[x.get()] = x;
    x->start();
  }
  accept();
}

void http_server::core::forget(connection* x) {
  std::lock_guard<std::mutex> guard{mutex_};
  connections_.erase(x);
}

void http_server::core::stop() {
  std::lock_guard<std::mutex> guard{mutex_};
  if (stopped_)
    return;
  stopped_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (auto& x : connections_)
    if (auto alive = x.second.lock())
      alive->close_soon();
}

result<std::shared_ptr<http_server>> http_server::start(asio::io_context& io,
                                                        const http_server_settings& settings,
                                                        http_handler handler) {
  auto where = parse_endpoint(settings.listen);
  if (!where)
    return where.error();
  for (auto x : {settings.handshake_timeout, settings.header_timeout, settings.body_timeout,
                 settings.answer_timeout, settings.idle_timeout})
    if (x <= duration::zero())
      return {ec::bad_config, settings.listen + ": a time-out must be positive"};
  if (settings.connections_max == 0 || settings.header_limit_bytes == 0)
    return {ec::bad_config, settings.listen + ": a bound of zero lets nothing through"};
  std::shared_ptr<asio::ssl::context> tls;
  if (settings.security != http_security::plain) {
    auto made = make_http_server_context(settings.tls, settings.security);
    if (!made)
      return made.error();
    tls = std::move(*made);
  } else if (!where->address().is_loopback() && !settings.plain_beyond_loopback) {
    return {ec::bad_config,
            settings.listen + ": beyond loopback HTTP without TLS must be asked for"};
  }
  auto inside = std::make_shared<core>(io, settings, std::move(handler), std::move(tls));
  if (auto ok = inside->listen(*where); !ok)
    return ok.error();
  return std::shared_ptr<http_server>{new http_server{std::move(inside)}};
}

http_server::http_server(std::shared_ptr<core> x) : core_(std::move(x)) {}

http_server::~http_server() {
  stop();
}

uint16_t http_server::port() const {
  return core_->port();
}

size_t http_server::connections() const {
  return core_->connections();
}

void http_server::stop() {
  core_->stop();
}

} // namespace qnfv
