#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace qnfv {

/// The threads that move bulk bytes: sockets, files and the cipher, never actors. With zero threads
/// nothing runs until `poll`: a simulation interleaves it with the actors on its one thread.
class io_pool {
public:
  explicit io_pool(size_t threads);
  /// Stops and joins; work not yet run is dropped. Must outlive the actor system's actors. On one of
  /// its own threads, which let go of the last owner, it joins the others only.
  ~io_pool();
  io_pool(const io_pool&) = delete;
  io_pool& operator=(const io_pool&) = delete;

  boost::asio::io_context& context() { return *context_; }
  void post(std::function<void()> work);
  /// Runs at most one ready piece of work on the calling thread; false if there was none.
  bool poll();

private:
  std::shared_ptr<boost::asio::io_context> context_; ///< Of the threads, too.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::vector<std::thread> threads_;
};

} // namespace qnfv
