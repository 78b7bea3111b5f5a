// The promises of the QKD SOURCE interface, on every driver of it, over real sockets. What only the
// emulator has (phases, physics, the link's back-off) is in qkd_source_test.cpp, in virtual time.

#include "runtime/tracing/recorder.hpp"
#include "tests/support/source_lab.hpp"

using namespace qnfv;
using namespace qnfv::test;

TEMPLATE_TEST_CASE("commands may be repeated, and an older session is refused", "", emulator_lab,
                   idq3p_lab, etsi014_lab) {
  TestType x;
  for (int i = 0; i < 2; ++i)
    x.start(3);
  CHECK(x.tell("co", start_distilling{x.link, 2}).error().code == ec::stale_epoch);
  for (int i = 0; i < 2; ++i)
    CHECK(x.tell("co", stop_distilling{x.link}));
  CHECK(x.tell("co", start_distilling{x.link, 3}).error().code == ec::stale_epoch);
  CHECK(x.tell("co", start_distilling{link_id{"bob9/alice9"}, 9}).error().code == ec::unknown_link);
  CHECK(x.tell("co", stop_distilling{link_id{"bob9/alice9"}}).error().code == ec::unknown_link);
}

TEMPLATE_TEST_CASE("both ends produce the same blocks, and repeating start changes nothing", "",
                   emulator_lab, idq3p_lab, etsi014_lab) {
  TestType x;
  x.start(1);
  REQUIRE(x.until_blocks(2));
  x.start(1);
  REQUIRE(x.until_blocks(5));
  x.stop();
  x.check_agreement();
  auto bob = x.of("co"), alice = x.of("dc1");
  uint64_t next = 0;
  for (size_t i = 0; i < 5; ++i) {
    auto &a = bob.blocks[i], &b = alice.blocks[i];
    CHECK(a.block.session == 1);
    CHECK(a.block.first >= next);
    next = a.block.first + a.block.count;
    CHECK(a.block.first == b.block.first);
    CHECK(a.block.count == b.block.count);
    CHECK(a.block.allocator == b.block.allocator);
    CHECK(a.exposed_to.empty());
  }
  CHECK(bob.blocks[3].block.allocator == link_end::alice);
}

TEMPLATE_TEST_CASE("no key before start, none after stop was answered", "", emulator_lab, idq3p_lab,
                   etsi014_lab) {
  TestType x;
  CHECK(x.blocks("co") == 0);
  CHECK(x.blocks("dc1") == 0);
  x.start(1);
  REQUIRE(x.until_blocks(1));
  x.stop();
  auto co = x.blocks("co"), dc1 = x.blocks("dc1");
  CHECK_FALSE(x.until(
    [&](auto& a, auto& b) { return a.blocks.size() > co || b.blocks.size() > dc1; }, 300ms));
}

TEMPLATE_TEST_CASE("ids never repeat, also not after a restart of either end", "", emulator_lab,
                   idq3p_lab, etsi014_lab) {
  TestType x;
  uint32_t session = 0;
  for (auto* site : {"co", "dc1", "co"}) {
    auto before = std::max(x.blocks("co"), x.blocks("dc1"));
    x.start(++session);
    REQUIRE(x.until_blocks(before + 2));
    x.start_source(site); // Killed in the middle of things.
    REQUIRE(x.tell(x.other(site), stop_distilling{x.link}));
  }
  x.check_agreement();
}

TEMPLATE_TEST_CASE("an end without the other one loses the session, with a reason", "",
                   emulator_lab, idq3p_lab, etsi014_lab) {
  TestType x;
  x.start(1);
  REQUIRE(x.until_blocks(1));
  caf::anon_send(x.sources["co"], peer_down{site_id{"dc1"}, "gone"});
  REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::lost; }));
  CHECK(x.of("co").reports.back().reason.find("dc1") != std::string::npos);
  x.start(2);
  CHECK(x.until([](auto& co, auto& dc1) {
    return co.blocks.back().block.session == 2 && dc1.blocks.back().block.session == 2;
  }));
  x.stop();
  x.check_agreement();
}

TEMPLATE_TEST_CASE("a report says what was measured", "", emulator_lab, idq3p_lab, etsi014_lab) {
  TestType x;
  x.start(1);
  REQUIRE(x.until_blocks(2));
  auto status = x.w.template ask<device_report>(x.sources["co"], device_status_query{});
  REQUIRE(status);
  CHECK(status->session == 1);
  CHECK(status->keys >= 6);
  CHECK(status->secret_rate_bps > 0);
  CHECK(status->initialisation_s > 0);
  CHECK(x.of("co").reports.front().phase != qkd_phase::keys_ready);
  x.stop();
  status = x.w.template ask<device_report>(x.sources["co"], device_status_query{});
  REQUIRE(status);
  CHECK(status->phase == qkd_phase::idle);
}

TEMPLATE_TEST_CASE("what only an emulator can is refused by the others", "", idq3p_lab,
                   etsi014_lab) {
  TestType x;
  CHECK(x.tell("co", set_line{x.link, {}}).error().code == ec::invalid_argument);
  CHECK(x.tell("co", emulated_block{}).error().code == ec::invalid_argument);
}

TEMPLATE_TEST_CASE("a drawn block is taken from the other end only, once, and in bounds", "",
                   idq3p_lab, etsi014_lab) {
  TestType x;
  REQUIRE(x.tell("dc1", start_distilling{x.link, 1}));
  block_id block{x.link, 1, link_end::bob, 0, 3};
  const std::vector<std::string> names{"0000000100000001", "0000000100000002", "0000000100000003"};
  auto refusal = [&](const block_id& b, const std::vector<std::string>& n, const char* from = "co") {
    auto answer = x.ask_alice({b, n}, from);
    return answer ? ec::none : answer.error().code;
  };
  CHECK(refusal(block, names, "dc1") == ec::not_allowed);
  auto other = block;
  other.session = 2;
  CHECK(refusal(other, names) == ec::device_failed);
  other = block;
  other.link = link_id{"bob9/alice9"};
  CHECK(refusal(other, names) == ec::device_failed);
  other = block;
  other.count = 4;
  CHECK(refusal(other, names) == ec::invalid_argument);
  CHECK(refusal(block, {names[0], names[1], names[1]}) == ec::invalid_argument);
  CHECK(refusal(block, {names[0], names[1], std::string(1000, 'x')}) == ec::invalid_argument);
  other = block;
  other.count = 17;
  std::vector<std::string> many;
  for (int i = 0; i < 17; ++i)
    many.push_back(std::to_string(i));
  CHECK(refusal(other, many) == ec::invalid_argument);
  // Names that the server does not know: an answer, but no block; and these numbers are used up.
  auto answer = x.ask_alice({block, names});
  REQUIRE(answer);
  CHECK(answer->held.empty());
  CHECK(refusal(block, names) == ec::invalid_argument);
  CHECK(x.blocks("dc1") == 0);
  // Bob's end takes none.
  auto self = x.w.template ask<block_fetched>(x.sources["co"], drawn_block{block, names});
  REQUIRE_FALSE(self);
}

// -- a bad cable to a Clavis2 --------------------------------------------------------------------

TEST_CASE(
  "a cable that loses, repeats, reorders and damages datagrams makes no two keys of one id") {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    INFO("seed " << seed);
    idq3p_lab x{{0.1, 0.2, 0.3, 0.1}, 10 * seed};
    x.start(1);
    REQUIRE(x.until_blocks(4));
    x.stop();
    CHECK(x.cables["co"]->harmed() + x.cables["dc1"]->harmed() > 50);
    x.check_agreement();
  }
}

TEST_CASE("a key server that falls silent loses the session, and a new one goes on") {
  idq3p_lab x;
  x.start(1);
  REQUIRE(x.until_blocks(1));
  x.cables["co"]->cut();
  REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::lost; }));
  CHECK(x.of("co").reports.back().reason.find("does not answer") != std::string::npos);
  x.cables["co"]->close();
  x.cables["co"] = bad_cable::lay(*x.w.io(), x.clavis.address("kms-co"), 7, {});
  x.start_source("co");
  x.start(2);
  CHECK(x.until([](auto& co, auto&) { return co.blocks.back().block.session == 2; }));
  x.stop();
  x.check_agreement();
}

TEST_CASE("the other end's silent key server loses the session too") {
  idq3p_lab x;
  x.start(1);
  REQUIRE(x.until_blocks(1));
  x.cables["dc1"]->cut();
  REQUIRE(x.until([](auto& co, auto& dc1) {
    return co.reports.back().phase == qkd_phase::lost
           && dc1.reports.back().phase == qkd_phase::lost;
  }));
  CHECK(x.of("co").reports.back().reason.find("does not answer") != std::string::npos);
  x.check_agreement();
}

TEST_CASE("an empty key server is waited for") {
  idq3p_lab x{{}, 1, 0};
  x.start(1);
  CHECK(x.until_phase("co", qkd_phase::raw_exchange));
  CHECK_FALSE(x.until_blocks(1, 200ms));
  x.clavis.make_keys(100);
  CHECK(x.until_blocks(2));
  x.stop();
  x.check_agreement();
}

// -- KMEs of several makes -----------------------------------------------------------------------

TEST_CASE("KMEs of every make give the same keys at both ends") {
  kme_habits next_door{400, R"({"message":"not enough keys"})", "keys", 64, true};
  kme_habits rust{404, "", "keys", 10, false};
  kme_habits fastapi{503, R"({"detail":[{"loc":["body"]}]})", "keys", 128, false};
  kme_habits literal{400, "<html>no</html>", "Keys", 3, false};
  for (auto& habits : {next_door, rust, fastapi, literal}) {
    INFO(habits.refusal << " " << habits.refusal_body);
    etsi014_lab x{habits, 40};
    x.start(1);
    REQUIRE(x.until([](auto& co, auto& dc1) {
      uint64_t a = 0, b = 0;
      for (auto& block : co.blocks)
        a += block.block.count;
      for (auto& block : dc1.blocks)
        b += block.block.count;
      return a >= 38 && a == b; // One or two may be left over.
    }));
    // More come later: a refusal was no more than that.
    CHECK(x.until_phase("co", qkd_phase::keys_ready));
    x.kmes->add_keys(20);
    auto blocks = x.blocks("co");
    CHECK(x.until_blocks(blocks + 1));
    x.stop();
    x.check_agreement();
    CHECK(x.kmes->largest_request() <= std::min<uint32_t>(habits.keys_per_request, 16));
  }
}

TEST_CASE("no keys are drawn into a full pool") {
  etsi014_lab x;
  *x.in_pool = 100;
  x.start(1);
  CHECK_FALSE(x.until_blocks(1, 200ms));
  CHECK(x.kmes->largest_request() == 0);
  *x.in_pool = 99;
  CHECK(x.until_blocks(2));
  x.stop();
}

TEST_CASE("keys that never reach the other KME are thrown away, the others are not") {
  etsi014_lab x;
  kme_faults faults;
  faults.lose_every = 5;
  x.kmes->set(faults);
  x.start(1);
  REQUIRE(x.until_blocks(3));
  x.stop();
  x.check_agreement();
  for (auto& block : x.of("co").blocks)
    CHECK(block.block.count < 16);
}

TEST_CASE("a KME that refuses now and then, and one that is late, cost no session") {
  etsi014_lab x;
  kme_faults faults;
  faults.refuse_every = 4;
  faults.late = 2;
  x.kmes->set(faults);
  x.start(1);
  REQUIRE(x.until_blocks(3));
  x.stop();
  x.check_agreement();
  CHECK(x.of("co").reports.back().session == 1);
}

TEST_CASE("a repeated key id is refused, and the first key of that id with it") {
  kme_habits habits;
  habits.one_at_a_time = true;
  etsi014_lab x{habits};
  kme_faults faults;
  faults.repeat_every = 5;
  x.kmes->set(faults);
  x.start(1);
  REQUIRE(x.until_blocks(4));
  x.stop();
  x.check_agreement();
}

TEST_CASE("answers that are none give no keys, and lose the session") {
  auto id = std::string{R"("key_ID":"6427c6cb-408c-5fb6-aa93-091a6eb3026a")"};
  for (auto& answer :
       {std::string{"{}"}, std::string{"["}, std::string{R"({"keys":5})"},
        R"({"keys":[{)" + id + R"(,"key":"Bjw5"}]})", R"({"keys":[{)" + id + R"(,"key":"!!!!"}]})",
        R"({"keys":[{)" + id + "}]}"}) {
    INFO(answer);
    etsi014_lab x;
    kme_faults faults;
    faults.answer = answer;
    x.kmes->set(faults);
    x.start(1);
    REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::lost; }));
    CHECK(x.of("co").reports.back().reason.find("the KME's answer is none") != std::string::npos);
    CHECK(x.blocks("co") + x.blocks("dc1") == 0);
  }
}

TEST_CASE("a KME that is gone loses the session; back again, a new one goes on") {
  etsi014_lab x;
  x.start(1);
  REQUIRE(x.until_blocks(1));
  x.kmes->stop();
  REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::lost; }));
  x.kmes->open("kme-a");
  x.kmes->open("kme-b");
  x.start(2);
  CHECK(x.until([](auto& co, auto& dc1) {
    return co.blocks.back().block.session == 2 && dc1.blocks.back().block.session == 2;
  }));
  x.stop();
  x.check_agreement();
}

TEST_CASE("the wrong KME and the wrong SAE are refused") {
  etsi014_lab x;
  x.expected_name["co"] = "qnfv:site:kme-b";
  x.start_source("co");
  x.start(1);
  REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::lost; }));
  x.expected_name.clear();
  x.certificate["co"] = "sae-c";
  x.start_source("co");
  x.start(2);
  REQUIRE(x.until([](auto& co, auto&) { return co.reports.back().phase == qkd_phase::failed; }));
  auto reason = x.of("co").reports.back().reason;
  CHECK(reason.find("it refuses this SAE (401): who are you") != std::string::npos);
  CHECK(x.blocks("co") + x.blocks("dc1") == 0);
}

TEST_CASE("every question to a key server belongs to the start of its session") {
  etsi014_lab x{{}, 40};
  x.start(1);
  REQUIRE(x.until_blocks(2));
  x.kmes->add_keys(40);
  REQUIRE(x.until_blocks(4)); // After a wait for keys, too.
  x.stop();
  std::map<std::string, trace_event> events;
  for (auto* site : {"co", "dc1"})
    for (auto& event : x.env(site)->recorder->since({}, "", SIZE_MAX).events)
      events[event.id()] = event;
  auto made_for = x.kmes->asked_for("kme-a").front();
  for (auto* kme : {"kme-a", "kme-b"}) {
    auto contexts = x.kmes->asked_for(kme);
    CHECK(contexts.size() >= 4);
    for (auto& context : contexts) {
      CHECK(context.trace == made_for.trace);
      CHECK(events[to_string(context.cause)].trace == to_string(made_for.trace));
    }
  }
}
