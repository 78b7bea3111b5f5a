#include "runtime/system/io.hpp"

#include <boost/asio/post.hpp>

namespace qnfv {

io_pool::io_pool(size_t threads)
  : context_(std::make_shared<boost::asio::io_context>()),
    guard_(boost::asio::make_work_guard(*context_)) {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([context = context_] { context->run(); });
}

io_pool::~io_pool() {
  guard_.reset();
  context_->stop();
  for (auto& t : threads_)
    if (t.get_id() == std::this_thread::get_id())
      t.detach(); // It ends when what it is doing has ended.
    else
      t.join();
}

void io_pool::post(std::function<void()> work) {
  boost::asio::post(*context_, std::move(work));
}

bool io_pool::poll() {
  return context_->poll_one() > 0;
}

} // namespace qnfv
