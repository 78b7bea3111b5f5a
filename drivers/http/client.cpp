#include "drivers/http/client.hpp"

#include "drivers/http/mask.hpp"
#include "drivers/http/response_parser.hpp"
#include "drivers/http/stream.hpp"
#include "drivers/http/tls.hpp"
#include "runtime/clock/clock.hpp"
#include "runtime/tracing/context.hpp"
#include "runtime/tracing/w3c.hpp"
#include "runtime/tracing/wire_ends.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <deque>
#include <optional>

namespace qnfv {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using io_strand = http_stream::executor_type;
using side = http_stream::side;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, io_strand>;

constexpr size_t window_bytes = 8192;  ///< What is read at a time; a header must fit.
constexpr size_t record_bytes = 16384; ///< The most that TLS sends in one piece.

struct session_freer {
  void operator()(SSL_SESSION* x) const { SSL_SESSION_free(x); }
};

/// The peer said in its alert that it does not take our certificate. In TLS 1.3 that comes after
/// our side of the handshake ended, but before the peer looked at any request.
bool refuses_certificate(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category())
    return false;
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
  case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
  case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
  case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
  case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
  case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    return true;
  default:
    return false;
  }
}

bool is_method(const std::string& x) {
  return !x.empty() && x.size() <= 20
         && std::all_of(x.begin(), x.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_target(const std::string& x) {
  return !x.empty() && x.front() == '/' && x.size() <= window_bytes / 2
         && std::all_of(x.begin(), x.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

struct address {
  std::string host;
  std::string port;
};

result<address> parse_server(const std::string& text) {
  failure bad{ec::bad_config, "\"" + text + "\" is no address: HOST:PORT, e.g. 127.0.0.1:7301"};
  auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return bad;
  address out{text.substr(0, colon), text.substr(colon + 1)};
  if (out.host.front() == '[' && out.host.back() == ']' && out.host.size() > 2)
    out.host = out.host.substr(1, out.host.size() - 2);
  else if (out.host.find(':') != std::string::npos)
    return bad;
  if (!std::all_of(out.host.begin(), out.host.end(), [](char c) { return c > 0x20 && c < 0x7f; }))
    return bad;
  uint16_t port = 0;
  auto* end = out.port.data() + out.port.size();
  auto parsed = std::from_chars(out.port.data(), end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end || port == 0)
    return bad;
  return out;
}

} // namespace

/// Everything but the constructor, `send` and the counters runs on the strand.
class http_client::core : public std::enable_shared_from_this<core> {
public:
  core(asio::io_context& io, const http_client_settings& s, address where,
       std::shared_ptr<asio::ssl::context> tls)
    : s_(s), where_(std::move(where)), tls_(std::move(tls)), time_(make_real_clock()),
      strand_(asio::make_strand(io.get_executor())), timer_(strand_), resolver_(strand_) {
    error_code error;
    auto literal = asio::ip::make_address(where_.host, error);
    is_literal_ = !error;
    auto host = is_literal_ && literal.is_v6() ? "[" + where_.host + "]" : where_.host;
    fields_ = " HTTP/1.1\r\nHost: " + host + ":" + where_.port + "\r\nAccept: " + s_.content_type
              + "\r\n";
  }

  void send(std::string method, std::string target, byte_view body, taker then) {
    request x;
    if (!is_method(method) || !is_target(target)) {
      failure why{ec::invalid_argument, method + " " + target + ": is not HTTP"};
      return asio::post(strand_, [why = std::move(why), then = std::move(then)] { then(why); });
    }
    x.method = std::move(method);
    x.target = std::move(target);
    x.trace = current_trace();
    if (!body.empty())
      x.body = secret{body};
    x.then = std::move(then);
    x.deadline = time_->now() + s_.answer_timeout;
    asio::post(strand_, [self = shared_from_this(), x = std::move(x)]() mutable {
      self->enqueue(std::move(x));
    });
  }

  void close_soon() {
    asio::post(strand_, [self = shared_from_this()] { self->close(); });
  }

  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> resumed{0};

private:
  struct request {
    std::string method;
    std::string target;
    trace_context trace;
    secret body;
    taker then;
    time_point deadline;
    bool repeated = false;
  };

  /// One connection. What is under way on it holds it; a line that is no longer `line_` is dead.
  struct line {
    line(const io_strand& strand, asio::ssl::context* tls, const shown_names& shown)
      : stream(http_stream::socket{strand}, tls), requests(http_mask::direction::requests, shown),
        answers(http_mask::direction::answers, shown) {}

    http_stream stream;
    secret window{window_bytes};
    size_t begin = 0, end = 0; ///< Of what was read and not yet parsed.
    bool up = false;
    bool used = false;    ///< It has brought an answer.
    bool writing = false; ///< Also after the answer, if that came early.
    secret out, rest;     ///< Being sent, and what follows it.
    wire_ends ends;
    trace_context trace; ///< Of the last request.
    http_mask requests, answers;
  };
  using line_ptr = std::shared_ptr<line>;

  void enqueue(request x) {
    if (closed_)
      return x.then(failure{ec::cancelled, describe("the client is gone")});
    if (queue_.size() >= s_.queue_max)
      return x.then(failure{ec::busy, describe("too many requests wait")});
    queue_.push_back(std::move(x));
    if (!watching_)
      watch();
    pump();
  }

  /// Does the next thing for the first request.
  void pump() {
    if (closed_ || sent_ || queue_.empty())
      return;
    if (!line_)
      connect();
    else if (line_->up && !line_->writing)
      transmit();
  }

  void connect() {
    line_ = std::make_shared<line>(strand_, tls_.get(), s_.tracing.shown);
    connect_deadline_ = time_->now() + s_.connect_timeout;
    if (is_literal_) {
      uint16_t port = 0;
      std::from_chars(where_.port.data(), where_.port.data() + where_.port.size(), port);
      return open(tcp::endpoint{asio::ip::make_address(where_.host), port});
    }
    resolver_.async_resolve(
      where_.host, where_.port,
      [self = shared_from_this(), l = line_](error_code error, tcp::resolver::results_type found) {
        if (l != self->line_)
          return;
        if (error)
          return self->unreachable(error.message());
        asio::async_connect(l->stream.next_layer(), found,
                            [self, l](error_code e, const tcp::endpoint&) { self->opened(l, e); });
      });
  }

  void open(const tcp::endpoint& where) {
    line_->stream.next_layer().async_connect(
      where, [self = shared_from_this(), l = line_](error_code error) { self->opened(l, error); });
  }

  void opened(const line_ptr& l, error_code error) {
    if (l != line_)
      return;
    if (error)
      return unreachable(error.message());
    l->stream.next_layer().set_option(tcp::no_delay(true), error);
    auto* ssl = l->stream.ssl();
    if (ssl && !is_literal_)
      SSL_set_tlsext_host_name(ssl, where_.host.c_str());
    if (ssl && session_)
      SSL_set_session(ssl, session_.get());
    l->stream.async_handshake(side::client, [self = shared_from_this(), l](error_code e) {
      self->greeted(l, e);
    });
  }

  void greeted(const line_ptr& l, error_code error) {
    if (l != line_)
      return;
    auto* ssl = l->stream.ssl();
    if (error) {
      session_.reset();
      auto verified = SSL_get_verify_result(ssl);
      return unreachable("the handshake failed: "
                         + (verified == X509_V_OK ? error.message()
                                                  : X509_verify_cert_error_string(verified)));
    }
    auto& name = s_.expected_name.empty() ? where_.host : s_.expected_name;
    if (auto ok = ssl ? check_peer_is(ssl, name) : status{done{}}; !ok)
      return unreachable(ok.error().text);
    ++connections;
    resumed += ssl && SSL_session_reused(ssl) ? 1 : 0;
    l->up = true;
    l->ends = ends_of("http", l->stream.next_layer());
    // Always reading: so the end of an idle connection shows before something is sent into it.
    read(l);
    pump();
  }

  void transmit() {
    auto& x = queue_.front();
    sent_ = true;
    began_ = false;
    expect_answer();
    head_.assign(x.method).append(" ").append(x.target).append(fields_);
    if (!x.body.empty())
      head_.append("Content-Type: ").append(s_.content_type).append("\r\n");
    if (!x.body.empty() || (x.method != "GET" && x.method != "HEAD"))
      head_.append("Content-Length: ").append(std::to_string(x.body.size())).append("\r\n");
    if (auto trace = to_w3c(x.trace, s_.tracing.lab); !trace.traceparent.empty())
      head_.append("traceparent: ").append(trace.traceparent).append("\r\ntracestate: ")
        .append(trace.tracestate).append("\r\n");
    auto& l = *line_;
    l.trace = x.trace;
    auto& password = s_.authorization;
    if (!password.empty())
      head_.append("Authorization: ");
    constexpr std::string_view end = "\r\n\r\n";
    std::string_view last = password.empty() ? end.substr(2) : end;
    auto head = head_.size() + password.size() + last.size();
    auto joined = head + x.body.size() <= record_bytes;
    l.out = secret{head + (joined ? x.body.size() : 0)};
    auto* to = l.out.data();
    for (auto part : {byte_view{head_}, password.view(), byte_view{last},
                      joined ? x.body.view() : byte_view{}})
      to = std::copy(part.begin(), part.end(), to);
    if (!joined)
      l.rest = x.body;
    write(line_);
  }

  void write(const line_ptr& l) {
    l->writing = true;
    if (s_.tracing.tap) {
      trace_scope scope{l->trace};
      s_.tracing.tap.sent(l->ends, l->requests.show(l->out.view()));
    }
    asio::async_write(l->stream, asio::const_buffer(l->out.data(), l->out.size()),
                      [self = shared_from_this(), l](error_code error, size_t) {
                        self->written(l, error);
                      });
  }

  void written(const line_ptr& l, error_code error) {
    if (l != line_)
      return;
    l->out = {};
    // After an error the reading side knows more: the answer may be there already, or the reason.
    if (!error && !l->rest.empty()) {
      l->out = std::move(l->rest);
      l->rest = {};
      return write(l);
    }
    l->writing = false;
    pump();
  }

  void expect_answer() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(window_bytes);
    parser_->body_limit(s_.body_limit_bytes);
    parser_->skip(queue_.front().method == "HEAD");
  }

  void read(const line_ptr& l) {
    l->stream.async_read_some(
      asio::mutable_buffer(l->window.data() + l->end, window_bytes - l->end),
      [self = shared_from_this(), l](error_code error, size_t n) {
        if (l != self->line_)
          return;
        if (error)
          return self->lost(error);
        l->end += n;
        if (self->s_.tracing.tap) {
          trace_scope scope{l->trace};
          auto piece = l->window.view().part(l->end - n, n);
          self->s_.tracing.tap.received(l->ends, l->answers.show(piece));
        }
        self->parse(l);
      });
  }

  void parse(const line_ptr& l) {
    if (!sent_) // Nobody asked.
      return drop();
    began_ = true;
    while (l->begin < l->end) {
      error_code error;
      l->begin += parser_->take(
        asio::const_buffer(l->window.data() + l->begin, l->end - l->begin), error);
      if (error == http::error::need_more && l->end - l->begin < window_bytes)
        break;
      if (error)
        return failed({ec::maybe_executed, describe("answered nonsense: " + error.message())});
      if (!parser_->is_done())
        continue;
      if (parser_->status >= 200)
        return answered(l, parser_->keep_alive() && l->begin == l->end);
      expect_answer(); // 1xx: the answer follows.
    }
    std::memmove(l->window.data(), l->window.data() + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
    read(l);
  }

  void answered(const line_ptr& l, bool keep) {
    l->begin = l->end = 0;
    l->used = true;
    client_response answer{parser_->status, parser_->take_body()};
    if (keep)
      read(l);
    else
      drop();
    finish(std::move(answer));
    pump();
  }

  /// The connection ended or broke.
  void lost(const error_code& error) {
    // A body without a length ends with the connection, if the peer says so under TLS.
    if (sent_ && began_ && error == asio::error::eof && parser_->is_header_done()) {
      error_code wrong;
      parser_->put_eof(wrong);
      if (!wrong)
        return answered(line_, false);
    }
    if (!sent_) {
      drop();
      return pump();
    }
    if (refuses_certificate(error))
      return failed({ec::site_unreachable, describe("refuses us: " + error.message())});
    auto& x = queue_.front();
    if (!began_ && line_->used && !x.repeated && x.method == "GET") {
      x.repeated = true;
      sent_ = false;
      drop();
      return pump();
    }
    failed({ec::maybe_executed, describe("no whole answer: " + error.message())});
  }

  /// The request that was sent has no answer.
  void failed(failure why) {
    drop();
    finish(std::move(why));
    pump();
  }

  /// None of the requests can be sent.
  void unreachable(const std::string& reason) {
    drop();
    failure why{ec::site_unreachable, describe(reason)};
    for (auto n = queue_.size(); n > 0; --n)
      finish(why);
  }

  void finish(result<client_response> outcome) {
    auto then = std::move(queue_.front().then);
    queue_.pop_front();
    sent_ = false;
    then(std::move(outcome));
  }

  /// Lets go of the connection but remembers its session.
  void drop() {
    auto l = std::move(line_);
    line_.reset();
    resolver_.cancel();
    if (!l)
      return;
    auto* ssl = l->stream.ssl();
    if (ssl && l->up) {
      session_.reset(SSL_get1_session(ssl));
      if (session_ && !SSL_SESSION_is_resumable(session_.get()))
        session_.reset();
      // Or OpenSSL would spoil the session of a connection that ended without farewell.
      SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    error_code ignored;
    l->stream.next_layer().close(ignored);
  }

  /// Runs while requests wait. One timer for all deadlines, so that a request does not touch it: no
  /// deadline set later can come before now + the shorter time-out.
  void watch() {
    watching_ = true;
    auto now = time_->now();
    auto next = std::min(now + std::min(s_.connect_timeout, s_.answer_timeout),
                         queue_.front().deadline);
    if (line_ && !line_->up)
      next = std::min(next, connect_deadline_);
    timer_.expires_at(next);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->closed_)
        return;
      self->expire();
      if (self->queue_.empty())
        self->watching_ = false;
      else
        self->watch();
    });
  }

  void expire() {
    auto now = time_->now();
    if (line_ && !line_->up && now >= connect_deadline_)
      return unreachable("no connection in time");
    if (queue_.empty() || now < queue_.front().deadline)
      return;
    if (sent_)
      return failed({ec::maybe_executed, describe("no answer in time")});
    finish(failure{ec::site_unreachable, describe("no connection in time")});
    if (queue_.empty())
      drop();
  }

  void close() {
    if (closed_)
      return;
    closed_ = true;
    timer_.cancel();
    drop();
    if (sent_)
      finish(failure{ec::maybe_executed, describe("the client went before the answer")});
    while (!queue_.empty())
      finish(failure{ec::cancelled, describe("the client is gone")});
  }

  std::string describe(const std::string& what) const { return s_.server + ": " + what; }

  const http_client_settings s_;
  const address where_;
  const std::shared_ptr<asio::ssl::context> tls_;
  const std::shared_ptr<const clock> time_;
  io_strand strand_;
  timer timer_;
  asio::ip::basic_resolver<tcp, io_strand> resolver_;
  bool is_literal_ = false; ///< HOST is an IP address.
  std::string fields_;      ///< From behind the target to the end of the Host field.

  std::deque<request> queue_;
  bool sent_ = false;  ///< The first of the queue is on the line.
  bool began_ = false; ///< Some of its answer has come.
  std::optional<http_response_parser> parser_;
  std::string head_;
  line_ptr line_;
  time_point connect_deadline_;
  std::unique_ptr<SSL_SESSION, session_freer> session_;
  bool watching_ = false;
  bool closed_ = false;
};

result<std::shared_ptr<http_client>> http_client::make(asio::io_context& io,
                                                       const http_client_settings& settings) {
  auto where = parse_server(settings.server);
  if (!where)
    return where.error();
  if (settings.connect_timeout <= duration::zero() || settings.answer_timeout <= duration::zero()
      || settings.queue_max == 0)
    return {ec::bad_config, settings.server + ": time-outs and the queue must not be zero"};
  std::shared_ptr<asio::ssl::context> tls;
  if (settings.security != http_security::plain) {
    auto made = make_http_client_context(settings.tls, settings.security);
    if (!made)
      return made.error();
    tls = std::move(*made);
  }
  return std::shared_ptr<http_client>{
    new http_client{std::make_shared<core>(io, settings, std::move(*where), std::move(tls))}};
}

http_client::http_client(std::shared_ptr<core> x) : core_(std::move(x)) {}

http_client::~http_client() {
  core_->close_soon();
}

void http_client::send(std::string method, std::string target, byte_view body, taker then) {
  core_->send(std::move(method), std::move(target), body, std::move(then));
}

uint64_t http_client::connections() const {
  return core_->connections;
}

uint64_t http_client::resumed() const {
  return core_->resumed;
}

} // namespace qnfv
