#include "drivers/http/door.hpp"

#include "drivers/http/owed_answer.hpp"

#include <mutex>

namespace qnfv {

namespace {

http_response nobody() {
  http_response out;
  out.status = 503;
  out.content_type = "text/plain";
  out.body = secret{byte_view{std::string_view{"nobody serves now; try again later\n"}}};
  return out;
}

} // namespace

struct http_door::lobby {
  std::mutex mutex; ///< Of what follows.
  std::shared_ptr<const http_handler> handler;
  uint64_t service = 0;

  std::shared_ptr<const http_handler> current() {
    std::lock_guard<std::mutex> guard{mutex};
    return handler;
  }
};

result<std::shared_ptr<http_door>> http_door::open(boost::asio::io_context& io,
                                                   const http_server_settings& settings) {
  auto inside = std::make_shared<lobby>();
  auto server = http_server::start(io, settings, [inside](http_request x, http_reply reply) {
    auto owed = std::make_shared<owed_answer>(std::move(reply), nobody);
    if (auto handler = inside->current())
      (*handler)(std::move(x), [owed](http_response y) { owed->send(std::move(y)); });
  });
  if (!server)
    return server.error();
  return std::shared_ptr<http_door>{new http_door{std::move(inside), std::move(*server)}};
}

http_door::http_door(std::shared_ptr<lobby> inside, std::shared_ptr<http_server> server)
    : lobby_(std::move(inside)), server_(std::move(server)) {}

http_door::~http_door() {
  stop();
}

void http_door::stop() {
  server_->stop();
  serve(nullptr);
}

uint16_t http_door::port() const {
  return server_->port();
}

uint64_t http_door::serve(http_handler handler) {
  auto next = handler ? std::make_shared<const http_handler>(std::move(handler)) : nullptr;
  std::lock_guard<std::mutex> guard{lobby_->mutex};
  lobby_->handler.swap(next);
  return ++lobby_->service;
}

void http_door::leave(uint64_t number) {
  std::shared_ptr<const http_handler> old;
  std::lock_guard<std::mutex> guard{lobby_->mutex};
  if (lobby_->service == number)
    lobby_->handler.swap(old);
}

} // namespace qnfv
