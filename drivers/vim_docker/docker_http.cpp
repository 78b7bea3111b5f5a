#include "drivers/vim_docker/docker_http.hpp"

#include "drivers/vim_docker/docker_codec.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>

namespace qnfv::docker {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using error_code = boost::system::error_code;
using unix_protocol = asio::local::stream_protocol;
using unix_stream = beast::basic_stream<unix_protocol>;

constexpr size_t body_max = 1u << 20;
constexpr const char* version = "/v1.41";

failure broken(const engine& e, const error_code& error) {
  if (error == asio::error::not_found || error == boost::system::errc::no_such_file_or_directory
      || error == asio::error::connection_refused)
    return {ec::vim_failed, "no container engine at " + e.socket + ": " + error.message()};
  return {ec::vim_failed, "the container engine at " + e.socket + ": " + error.message()};
}

using response_parser = http::response_parser<http::string_body>;

/// Reads one answer from a connection.
void read_answer(std::shared_ptr<unix_stream> stream, const engine& e,
                 std::function<void(result<answer>)> then) {
  auto buffer = std::make_shared<beast::flat_buffer>(2 * body_max);
  auto parser = std::make_shared<response_parser>();
  parser->body_limit(body_max);
  http::async_read(*stream, *buffer, *parser,
                   [stream, buffer, parser, e, then = std::move(then)](error_code error, size_t) {
                     if (error)
                       return then(broken(e, error));
                     answer out;
                     out.status = parser->get().result_int();
                     out.body = std::move(parser->get().body());
                     then(std::move(out));
                   });
}

} // namespace

void request(const engine& e, const std::string& method, const std::string& target,
             const std::string& body, std::function<void(result<answer>)> then) {
  auto stream = std::make_shared<unix_stream>(asio::make_strand(e.io->context()));
  auto message = std::make_shared<http::request<http::string_body>>(http::string_to_verb(method),
                                                                    version + target, 11);
  message->set(http::field::host, "engine");
  message->set(http::field::content_type, "application/json");
  message->set(http::field::connection, "close");
  message->body() = body;
  message->prepare_payload();
  stream->expires_after(e.timeout);
  stream->async_connect(unix_protocol::endpoint{e.socket}, [stream, message, e, then = std::move(then)](
                                                             error_code error) mutable {
    if (error)
      return then(broken(e, error));
    http::async_write(*stream, *message,
                      [stream, message, e, then = std::move(then)](error_code failed, size_t) mutable {
                        if (failed)
                          return then(broken(e, failed));
                        read_answer(stream, e, std::move(then));
                      });
  });
}

namespace {

class load_sink : public byte_sink {
public:
  explicit load_sink(const engine& e)
    : e_(e), stream_(std::make_shared<unix_stream>(asio::make_strand(e.io->context()))) {}
  ~load_sink() override { abort(); }

  void write(bytes data, std::function<void(status)> then) override {
    send(std::move(data), false, std::move(then));
  }

  void finish(bytes last, std::function<void(result<std::string>)> then) override {
    finished_ = true;
    send(std::move(last), true, [stream = stream_, e = e_, then = std::move(then)](status ok) {
      if (!ok)
        return then(ok.error());
      stream->expires_after(e.load_idle);
      read_answer(stream, e, [e, then](result<answer> x) {
        if (!x)
          return then(x.error());
        auto name = parse_load(x->status, x->body);
        if (!name)
          return then(name.error());
        // The archive chose the name; the id cannot be moved to other bytes.
        request(e, "GET", "/images/" + path_segment(*name) + "/json", "", [then](result<answer> y) {
          then(y ? parse_image_id(y->status, y->body) : result<std::string>{y.error()});
        });
      });
    });
  }

  void abort() override {
    if (finished_)
      return;
    finished_ = true;
    asio::post(stream_->get_executor(), [stream = stream_] { stream->close(); });
  }

private:
  /// One chunk (and the end of the body after the last), on the wire when `then` runs.
  void send(bytes data, bool last, std::function<void(status)> then) {
    char size[24];
    auto chunk = std::make_shared<std::string>();
    if (!connected_) {
      connected_ = true;
      *chunk = std::string{"POST "} + version + "/images/load?quiet=1 HTTP/1.1\r\nHost: engine\r\n"
               + "Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n"
               + "Connection: close\r\n\r\n";
      put(*chunk, data, size, sizeof size);
      if (last)
        *chunk += "0\r\n\r\n";
      stream_->expires_after(e_.load_idle);
      stream_->async_connect(unix_protocol::endpoint{e_.socket},
                             [stream = stream_, e = e_, chunk, last, then = std::move(then)](
                               error_code error) mutable {
                               if (error)
                                 return then(broken(e, error));
                               write_chunk(stream, e, chunk, last, std::move(then));
                             });
      return;
    }
    put(*chunk, data, size, sizeof size);
    if (last)
      *chunk += "0\r\n\r\n";
    asio::post(stream_->get_executor(), [stream = stream_, e = e_, chunk, last,
                                         then = std::move(then)]() mutable {
      write_chunk(stream, e, chunk, last, std::move(then));
    });
  }

  static void put(std::string& to, const bytes& data, char* size, size_t n) {
    if (data.empty())
      return; // An empty chunk would end the body.
    std::snprintf(size, n, "%zx\r\n", data.size());
    to.reserve(to.size() + data.size() + 32);
    to += size;
    to.append(reinterpret_cast<const char*>(data.data()), data.size());
    to += "\r\n";
  }

  static void write_chunk(std::shared_ptr<unix_stream> stream, const engine& e,
                          std::shared_ptr<std::string> chunk, bool last,
                          std::function<void(status)> then) {
    stream->expires_after(e.load_idle);
    asio::async_write(*stream, asio::buffer(*chunk),
                      [stream, e, chunk, last, then = std::move(then)](error_code error, size_t) {
                        if (!error || last)
                          // Whether the end was taken is for the answer to say.
                          return then(done{});
                        // The engine hung up: it may have said why.
                        read_answer(stream, e, [e, error, then](result<answer> why) {
                          auto said = why ? parse_load(why->status, why->body)
                                          : result<std::string>{broken(e, error)};
                          then(said ? failure{ec::vim_failed, "the engine stopped reading the image"}
                                    : said.error());
                        });
                      });
  }

  const engine e_;
  std::shared_ptr<unix_stream> stream_;
  bool connected_ = false;
  bool finished_ = false;
};

} // namespace

std::shared_ptr<byte_sink> make_load_sink(const engine& e) {
  return std::make_shared<load_sink>(e);
}

} // namespace qnfv::docker
