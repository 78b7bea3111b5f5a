#include "runtime/deployment/stream.hpp"

#include "runtime/tls/context.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <string_view>

namespace qnfv {

namespace asio = boost::asio;

namespace {

constexpr std::string_view greeting = "qnfv/1 ";
using hello_line = std::array<char, 32>;
static_assert(greeting.size() + max_site_name < std::tuple_size_v<hello_line>);

hello_line make_hello(const site_id& name) {
  hello_line out;
  out.fill(' ');
  out.back() = '\n';
  std::copy(greeting.begin(), greeting.end(), out.begin());
  std::copy_n(name.value.begin(), std::min(name.value.size(), max_site_name),
              out.begin() + greeting.size());
  return out;
}

result<std::string> parse_hello(const hello_line& line) {
  std::string_view text(line.data(), line.size());
  auto name = text.substr(greeting.size(), text.size() - greeting.size() - 1);
  name = name.substr(0, name.find(' '));
  if (!valid_name(name) || name.size() > max_site_name
      || line != make_hello(site_id{std::string(name)}))
    return {ec::not_allowed, "no greeting of a node without certificates"};
  return std::string(name);
}

class plain_stream : public peer_stream {
public:
  plain_stream(tcp_socket socket, const site_id& own_name)
      : socket_(std::move(socket)), own_(make_hello(own_name)) {}

  void handshake(bool, std::function<void(result<std::string>)> answer) override {
    asio::async_write(socket_, asio::buffer(own_), [this, answer](error_code error, size_t) {
      if (error)
        return answer({ec::site_unreachable, error.message()});
      asio::async_read(socket_, asio::buffer(peer_), [this, answer](error_code error, size_t) {
        if (error)
          return answer({ec::site_unreachable, error.message()});
        answer(parse_hello(peer_));
      });
    });
  }

  void read_some(asio::mutable_buffer to, std::function<void(error_code, size_t)> answer) override {
    socket_.async_read_some(to, std::move(answer));
  }

  void write(asio::const_buffer from, std::function<void(error_code)> answer) override {
    asio::async_write(socket_, from,
                      [answer = std::move(answer)](error_code error, size_t) { answer(error); });
  }

  tcp_socket& socket() override { return socket_; }

private:
  tcp_socket socket_;
  hello_line own_;
  hello_line peer_{};
};

class tls_stream : public peer_stream {
public:
  tls_stream(tcp_socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  void handshake(bool as_client, std::function<void(result<std::string>)> answer) override {
    auto role = as_client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
    stream_.async_handshake(role, [this, answer = std::move(answer)](error_code error) {
      if (!error)
        return answer(peer_name(stream_.native_handle()));
      auto verdict = SSL_get_verify_result(stream_.native_handle());
      std::string why = "TLS: " + error.message();
      if (verdict != X509_V_OK)
        why += std::string(": ") + X509_verify_cert_error_string(verdict);
      answer({ec::not_allowed, why});
    });
  }

  void read_some(asio::mutable_buffer to, std::function<void(error_code, size_t)> answer) override {
    stream_.async_read_some(to, std::move(answer));
  }

  void write(asio::const_buffer from, std::function<void(error_code)> answer) override {
    asio::async_write(stream_, from,
                      [answer = std::move(answer)](error_code error, size_t) { answer(error); });
  }

  tcp_socket& socket() override { return stream_.next_layer(); }

private:
  std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<tcp_socket> stream_;
};

} // namespace

std::unique_ptr<peer_stream> make_plain_stream(peer_stream::tcp_socket socket,
                                               const site_id& own_name) {
  return std::make_unique<plain_stream>(std::move(socket), own_name);
}

std::unique_ptr<peer_stream> make_tls_stream(peer_stream::tcp_socket socket,
                                             std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<tls_stream>(std::move(socket), std::move(context));
}

} // namespace qnfv
