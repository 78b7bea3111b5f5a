#include "runtime/system/io.hpp"

#include <catch2/catch.hpp>

#include <future>

using namespace qnfv;

TEST_CASE("an I/O thread may let go of the last owner of its pool") {
  for (int round = 0; round < 50; ++round) {
    auto pool = std::make_shared<io_pool>(2);
    std::promise<void> alone, ended;
    pool->post([owner = pool, &alone, &ended]() mutable {
      alone.get_future().wait();
      owner.reset(); // Joins the other thread, not this one.
      ended.set_value();
    });
    pool.reset();
    alone.set_value();
    ended.get_future().wait();
  }
  SUCCEED("nothing was terminated");
}
