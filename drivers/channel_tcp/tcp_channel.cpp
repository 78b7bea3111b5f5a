#include "drivers/channel_tcp/tcp_channel.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace qnfv {

namespace {

failure broken(const boost::system::error_code& error) {
  return {ec::channel_failed, "the data channel broke: " + error.message()};
}

class tcp_channel : public byte_channel {
public:
  explicit tcp_channel(std::shared_ptr<tcp_socket> socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_->set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  }
  ~tcp_channel() override { close(); }

  void read(size_t n, std::function<void(result<bytes>)> then) override {
    auto buffer = std::make_shared<bytes>(n);
    boost::asio::post(socket_->get_executor(), [s = socket_, ended = ended_, buffer,
                                                then = std::move(then)]() mutable {
      // Asio waits for ever for an end that it has reported once.
      if (*ended)
        return then(bytes{});
      boost::asio::async_read(*s, boost::asio::buffer(*buffer),
                              [s, ended, buffer, then = std::move(then)](
                                boost::system::error_code error, size_t got) {
                                if (error && error != boost::asio::error::eof)
                                  return then(broken(error));
                                *ended = *ended || error == boost::asio::error::eof;
                                buffer->resize(got);
                                then(std::move(*buffer));
                              });
    });
  }

  void write(bytes data, std::function<void(status)> then) override {
    auto buffer = std::make_shared<bytes>(std::move(data));
    boost::asio::post(socket_->get_executor(), [s = socket_, buffer, then = std::move(then)]() mutable {
      boost::asio::async_write(*s, boost::asio::buffer(*buffer),
                               [s, buffer, then = std::move(then)](boost::system::error_code error,
                                                                   size_t) {
                                 if (error)
                                   return then(broken(error));
                                 then(done{});
                               });
    });
  }

  void finish(std::function<void(status)> then) override {
    boost::asio::post(socket_->get_executor(), [s = socket_, then = std::move(then)] {
      boost::system::error_code error;
      s->shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
      if (error)
        return then(broken(error));
      then(done{});
    });
  }

  void close() override {
    boost::asio::post(socket_->get_executor(), [s = socket_] {
      boost::system::error_code ignored;
      s->close(ignored);
    });
  }

private:
  std::shared_ptr<tcp_socket> socket_;
  std::shared_ptr<bool> ended_ = std::make_shared<bool>(false); ///< The peer has finished.
};

} // namespace

std::shared_ptr<byte_channel> make_tcp_channel(std::shared_ptr<tcp_socket> socket) {
  return std::make_shared<tcp_channel>(std::move(socket));
}

} // namespace qnfv
