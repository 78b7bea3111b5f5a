#include "runtime/faults/board.hpp"

#include "runtime/storage/memory.hpp"
#include "tests/support/world.hpp"

using namespace qnfv;
using namespace qnfv::test;

namespace {

struct fixture {
  world w;
  environment_ptr env = w.site("co");
  std::shared_ptr<fault_board> board =
    std::make_shared<fault_board>(site_id{"co"}, env->clock, env->random);
  caf::message something = caf::make_message(heartbeat{});
  uint64_t last = 0;

  uint64_t set(fault_kind what, const std::string& where, double amount = 0, double probability = 1) {
    fault x;
    x.what = what;
    x.where = where;
    x.amount = amount;
    x.probability = probability;
    board->set(++last, x);
    return last;
  }
  passage judge(const char* from, const char* to) { return judge(from, to, something); }
  passage judge(const char* from, const char* to, const caf::message& x) {
    return board->judge(site_id{from}, site_id{to}, x.content());
  }
};

} // namespace

TEST_CASE_METHOD(fixture, "without a fault everything passes") {
  auto x = judge("co", "dc1");
  CHECK_FALSE(x.drop);
  CHECK_FALSE(x.twice);
  CHECK(x.delay.count() == 0);
  CHECK(board->blocks_connections(site_id{"dc1"}) == false);
}

TEST_CASE_METHOD(fixture, "one way stops one direction, a partition both, other edges neither") {
  auto one = set(fault_kind::one_way, "co>dc1");
  CHECK(judge("co", "dc1").drop);
  CHECK_FALSE(judge("dc1", "co").drop);
  CHECK_FALSE(judge("co", "dc2").drop);
  CHECK(board->hits(one) == 1);
  board->end(one);
  CHECK_FALSE(judge("co", "dc1").drop);
  set(fault_kind::partition, "dc1<>co");
  CHECK(judge("co", "dc1").drop);
  CHECK(judge("dc1", "co").drop);
  CHECK(board->blocks_connections(site_id{"dc1"}));
  CHECK_FALSE(board->blocks_connections(site_id{"dc2"}));
  CHECK_FALSE(board->carries(site_id{"co"}, site_id{"dc1"}));
}

TEST_CASE_METHOD(fixture, "what ends faults passes every fault") {
  set(fault_kind::partition, "co<>dc1");
  CHECK_FALSE(judge("co", "dc1", caf::make_message(clear_faults{})).drop);
}

TEST_CASE_METHOD(fixture, "a half open connection lets only a new one through") {
  auto id = set(fault_kind::half_open, "co<>dc1");
  CHECK(judge("co", "dc1").drop);
  CHECK_FALSE(judge("co", "dc1", caf::make_message(join{})).drop);
  CHECK_FALSE(board->blocks_connections(site_id{"dc1"}));
  CHECK(board->half_open(site_id{"dc1"}) == std::vector<uint64_t>{id});
  CHECK(board->half_open(site_id{"dc2"}).empty());
}

TEST_CASE_METHOD(fixture, "a probability of one half drops about half") {
  auto id = set(fault_kind::drop, "co<>dc1", 0, 0.5);
  int dropped = 0;
  for (int i = 0; i < 1000; ++i)
    dropped += judge("co", "dc1").drop;
  CHECK(dropped > 400);
  CHECK(dropped < 600);
  CHECK(board->hits(id) == static_cast<uint64_t>(dropped));
}

TEST_CASE_METHOD(fixture, "delayed messages stay in order, reordered ones do not") {
  auto id = set(fault_kind::delay, "co<>dc1", 100);
  auto last = duration{0};
  for (int i = 0; i < 100; ++i) {
    auto x = judge("co", "dc1").delay;
    CHECK(x >= last);
    last = x;
  }
  board->end(id);
  set(fault_kind::reorder, "co<>dc1", 100);
  bool overtaken = false;
  for (int i = 0; i < 100; ++i) {
    auto x = judge("co", "dc1").delay;
    overtaken = overtaken || x < last;
    last = x;
  }
  CHECK(overtaken);
}

TEST_CASE_METHOD(fixture, "a slow line takes its time for each message and byte") {
  set(fault_kind::slow_link, "co<>dc1", 8); // 1 kB/s
  auto first = judge("co", "dc1").delay, second = judge("co", "dc1").delay;
  CHECK(to_seconds(first) == Approx(0.3));
  CHECK(to_seconds(second) == Approx(0.6));
  CHECK(to_seconds(board->judge_bytes(site_id{"dc1"}, 1000).delay) == Approx(1.6));
}

TEST_CASE_METHOD(fixture, "a flipped bit breaks the connection and flips a bit of an image") {
  std::vector<std::string> broken;
  board->on_broken([&](const site_id& x) { broken.push_back(x.value); });
  set(fault_kind::corrupt, "co<>dc1");
  CHECK(judge("dc1", "co").drop);
  CHECK(broken == std::vector<std::string>{"dc1"});
  CHECK(board->judge_bytes(site_id{"dc1"}, 10).corrupt);
}

TEST_CASE_METHOD(fixture, "bytes that are held back are told when something changes") {
  auto id = set(fault_kind::partition, "co<>dc1");
  CHECK(board->judge_bytes(site_id{"dc1"}, 10).blocked);
  int told = 0;
  board->on_change([&] { ++told; });
  CHECK(told == 0);
  board->end(id);
  CHECK(told == 1);
  CHECK_FALSE(board->judge_bytes(site_id{"dc1"}, 10).blocked);
}

TEST_CASE_METHOD(fixture, "an armed fault fires at the message that it waits for, once") {
  std::vector<uint64_t> fired;
  board->on_fired([&](uint64_t id) { fired.push_back(id); });
  board->arm(7, "heartbeat", 3);
  auto other = caf::make_message(peer_up{});
  for (int i = 0; i < 2; ++i)
    board->arrived(something.content());
  board->arrived(other.content());
  CHECK(fired.empty());
  for (int i = 0; i < 5; ++i)
    board->arrived(something.content());
  CHECK(fired == std::vector<uint64_t>{7});
}

TEST_CASE_METHOD(fixture, "a full disk takes what is written in place, and nothing more") {
  auto files = make_faulty_storage(std::make_shared<memory_storage>(), board);
  auto file = files->own("journal");
  REQUIRE(file);
  bytes sector(512, 1);
  REQUIRE((*file)->write(0, sector));
  auto id = set(fault_kind::disk_full, "co");
  CHECK((*file)->write(0, sector));
  auto grown = (*file)->write(512, sector);
  REQUIRE_FALSE(grown);
  CHECK(grown.error().code == ec::storage_failed);
  CHECK(grown.error().text == "journal: no space left on device (injected)");
  CHECK_FALSE(files->create("other"));
  board->end(id);
  CHECK((*file)->write(512, sector));
}

TEST_CASE_METHOD(fixture, "a sync fails as long as the disk does") {
  auto files = make_faulty_storage(std::make_shared<memory_storage>(), board);
  auto file = files->own("journal");
  auto id = set(fault_kind::failed_sync, "co");
  CHECK_FALSE((*file)->sync());
  CHECK_FALSE(files->replace("small", byte_view{std::string_view{"x"}}));
  board->end(id);
  CHECK((*file)->sync());
}

TEST_CASE_METHOD(fixture, "wall time jumps, monotonic time only drifts, and never goes back") {
  auto clock = make_faulty_clock(env->clock, board);
  auto wall = clock->unix_ns();
  auto jump = set(fault_kind::clock_jump, "co", -3600);
  CHECK(clock->unix_ns() - wall == -3'600'000'000'000);
  auto began = clock->now();
  set(fault_kind::clock_drift, "co", 1000);
  w.advance(std::chrono::seconds{1000});
  auto fast = clock->now();
  CHECK(to_seconds(fast - began) == Approx(1001));
  board->end(2);
  board->end(jump);
  CHECK(clock->now() >= fast);
  CHECK(clock->unix_ns() - wall == Approx(1000e9));
}

TEST_CASE_METHOD(fixture, "a VIM fails or hangs, and hanging wins") {
  CHECK(board->judge_vim() == fault_board::vim_verdict::answers);
  set(fault_kind::vim_failure, "dc1");
  CHECK(board->judge_vim() == fault_board::vim_verdict::fails);
  set(fault_kind::vim_hang, "dc1");
  CHECK(board->judge_vim() == fault_board::vim_verdict::hangs);
}
