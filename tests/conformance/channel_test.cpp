// The promises of the CHANNEL interface, on every driver.

#include "drivers/channel_memory/channel_memory.hpp"
#include "drivers/channel_tcp/channel_tcp.hpp"
#include "runtime/tracing/recorder.hpp"
#include "tests/support/real_world.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace qnfv;
using namespace qnfv::test;

namespace {

transfer_id transfer(uint8_t n) {
  transfer_id x;
  x.value.fill(n);
  return x;
}

channel_token token(uint8_t n) {
  channel_token x;
  x.fill(n);
  return x;
}

struct two_sites {
  real_world w;
  environment_ptr env = w.site("co");
  channel_actor co;
  channel_actor dc1;
  std::string address;

  explicit two_sites(const std::string& driver) {
    std::const_pointer_cast<environment>(env)->recorder = std::make_shared<recorder>("co");
    if (driver == "channel_tcp") {
      tcp_listener_settings settings;
      settings.parked_deadline_ms = 300;
      settings.preface_deadline_ms = 300;
      auto spawn = [&](const char* site) {
        auto door = listen_on(w.io(), "127.0.0.1:0", settings);
        REQUIRE(door);
        channel_tcp_config c;
        c.listener = *door;
        return w.spawn_in(site == env->site.value ? env : w.site(site), channel_tcp, c);
      };
      co = spawn("co");
      dc1 = spawn("dc1");
    } else {
      channel_memory_config c;
      c.network = std::make_shared<memory_network>();
      c.parked_deadline_ms = 300;
      co = w.spawn_in(env, channel_memory, c);
      dc1 = w.spawn("dc1", channel_memory, c);
    }
    auto a = w.ask<channel_address>(dc1, channel_address_query{});
    REQUIRE(a);
    address = a->address;
  }

  result<channel_opened> open(uint8_t n, uint8_t t) {
    return w.ask<channel_opened>(co, open_channel{site_id{"dc1"}, address, transfer(n), token(t)});
  }
  result<channel_opened> expect(uint8_t n, uint8_t t) {
    return w.ask<channel_opened>(dc1, expect_channel{transfer(n), token(t)});
  }
};

status write(byte_channel& c, bytes data) {
  waiter<status> done;
  c.write(std::move(data), done.callback());
  return done.get();
}

result<bytes> read(byte_channel& c, size_t n) {
  waiter<result<bytes>> done;
  c.read(n, done.callback());
  return done.get();
}

} // namespace

TEST_CASE("bytes arrive once and in order, and then the end") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  auto out = x.open(1, 1);
  auto in = x.expect(1, 1);
  REQUIRE(out);
  REQUIRE(in);
  bytes data(100'000);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<uint8_t>(i * 7);
  REQUIRE(write(*out->channel, data));
  REQUIRE(write(*out->channel, {1, 2, 3}));
  auto first = read(*in->channel, data.size());
  REQUIRE(first);
  CHECK(*first == data);
  waiter<status> finished;
  out->channel->finish(finished.callback());
  REQUIRE(finished.get());
  auto rest = read(*in->channel, 10); // Fewer than asked for: the sender has finished.
  REQUIRE(rest);
  CHECK(*rest == bytes{1, 2, 3});
  CHECK(read(*in->channel, 10)->empty());
}

TEST_CASE("it does not matter who comes first") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  caf::scoped_actor self{x.w.system()};
  auto expecting = self->request(x.dc1, std::chrono::seconds{10},
                                 expect_channel{transfer(2), token(2)});
  auto out = x.open(2, 2);
  REQUIRE(out);
  std::shared_ptr<byte_channel> in;
  expecting.receive([&](channel_opened& c) { in = c.channel; },
                    [](caf::error& why) { FAIL(describe(why)); });
  REQUIRE(write(*out->channel, {42}));
  CHECK(*read(*in, 1) == bytes{42});
}

TEST_CASE("a wrong token never meets an expectation") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  auto out = x.open(3, 3);
  REQUIRE(out); // The opener cannot know.
  auto in = x.expect(3, 4);
  REQUIRE_FALSE(in);
  CHECK(in.error().code == ec::channel_failed);
}

TEST_CASE("an expectation that nobody meets ends at its deadline") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  auto in = x.expect(4, 4);
  REQUIRE_FALSE(in);
  CHECK(in.error().code == ec::channel_failed);
}

TEST_CASE("a slow reader slows the writer") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  auto out = x.open(5, 5);
  auto in = x.expect(5, 5);
  REQUIRE(in);
  // Far more than any buffer on the way: a write must wait until somebody reads.
  size_t sent = 0;
  std::shared_ptr<waiter<status>> waiting;
  while (sent < (256u << 20)) {
    waiting = std::make_shared<waiter<status>>();
    out->channel->write(bytes(1u << 20), waiting->callback());
    if (!waiting->comes_within(std::chrono::milliseconds{300}))
      break;
    REQUIRE(waiting->get());
    sent += 1u << 20;
  }
  CHECK(sent < (64u << 20));
  REQUIRE(read(*in->channel, sent + (1u << 20)));
  CHECK(waiting->get());
}

TEST_CASE("close at one end ends the other") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  auto out = x.open(6, 6);
  auto in = x.expect(6, 6);
  REQUIRE(in);
  in->channel->close();
  bool failed = false;
  for (int i = 0; i < 1000 && !failed; ++i)
    failed = !write(*out->channel, bytes(1u << 16));
  CHECK(failed);
}

TEST_CASE("where nobody listens the error says so") {
  two_sites x{"channel_tcp"};
  auto out = x.w.ask<channel_opened>(x.co, open_channel{site_id{"dc1"}, "127.0.0.1:1", transfer(7),
                                                        token(7)});
  REQUIRE_FALSE(out);
  CHECK(out.error().code == ec::site_unreachable);
  CHECK(out.error().text.find("127.0.0.1:1") != std::string::npos);
  CHECK_FALSE(listen_on(x.w.io(), x.address)); // Taken.
  CHECK(listen_on(x.w.io(), "nowhere").error().code == ec::bad_config);
}

TEST_CASE("the expecting end learns what the other one works for") {
  auto driver = GENERATE(as<std::string>{}, "channel_tcp", "channel_memory");
  INFO(driver);
  two_sites x{driver};
  waiter<result<channel_opened>> early;
  std::thread expecting{[&] { early.callback()(x.expect(8, 8)); }};
  REQUIRE(x.open(8, 8));
  REQUIRE(x.open(9, 9));
  expecting.join();
  auto late = x.expect(9, 9);
  auto first = early.get();
  REQUIRE(first);
  REQUIRE(late);
  auto asked = x.env->recorder->since({}, "", SIZE_MAX).events;
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].message == "open_channel");
  CHECK(to_string(first->opener.trace) == asked[0].trace);
  CHECK(to_string(first->opener.cause) == asked[0].id());
  CHECK(to_string(late->opener.trace) == asked[1].trace);
  CHECK(to_string(late->opener.cause) == asked[1].id());
}
