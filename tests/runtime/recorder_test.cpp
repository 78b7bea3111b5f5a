#include "runtime/tracing/recorder.hpp"

#include "tests/support/folder.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace qnfv;

namespace {

void note(recorder& to, const std::string& text = "something happened") {
  trace_record x;
  x.say("co/link", "co/link", "note", text);
  to.record(x);
}

std::vector<trace_event> events_of(std::istream& file) {
  std::vector<trace_event> out;
  for (std::string line; std::getline(file, line);) {
    auto x = parse_trace_event(line);
    REQUIRE(x);
    out.push_back(*x);
  }
  return out;
}

std::vector<trace_event> events_in(const std::string& path) {
  std::ifstream file{path};
  return events_of(file);
}

/// How many are told as lost. Each number must be there or be counted, in order.
uint64_t lost_of(const std::vector<trace_event>& events, uint64_t last) {
  uint64_t before = 0, lost = 0;
  for (auto& x : events) {
    unsigned long dropped = 0;
    (void) std::sscanf(x.text.c_str(), "dropped(%lu)", &dropped);
    CHECK(x.sequence == before + std::max(dropped, 1ul));
    before = x.sequence;
    lost += dropped;
  }
  CHECK(before == last);
  return lost;
}

recorder::settings to_file(const std::string& path, size_t ring = 20000) {
  return {ring, path, 64u << 20};
}

} // namespace

TEST_CASE("the ring keeps the newest events and counts the rest") {
  recorder r{"co", 1, {3, {}, 0}, {}};
  for (int i = 1; i <= 5; ++i)
    note(r, std::to_string(i));
  auto page = r.since({}, "", 100);
  REQUIRE(page.events.size() == 3);
  CHECK(page.lost == 2);
  CHECK(page.seen == event_id{"co", 1, 5});
  CHECK(page.events[0].sequence == 3);
  CHECK(page.events[0].text == "3");
  CHECK(r.since(event_id{"co", 1, 5}, "", 100).events.empty());
  CHECK(r.since(event_id{"co", 1, 3}, "", 1).seen == event_id{"co", 1, 4});
}

TEST_CASE("who has followed an earlier start of a site sees all of this one") {
  recorder r{"co", 2, {3, {}, 0}, {}};
  note(r);
  auto page = r.since(event_id{"co", 1, 700}, "", 100);
  CHECK(page.events.size() == 1);
  CHECK(page.lost == 0);
  CHECK(page.seen == event_id{"co", 2, 1});
}

TEST_CASE("only the events of one trace are shown, and a name that is none shows nothing") {
  recorder r{"co"};
  trace_record first;
  first.say("operator/#1", "co/orchestrator", "deliver_image", "deliver_image(fw, dc1)");
  auto trace = to_string(r.record(first, true));
  note(r);
  CHECK(trace == "co:1:1");
  CHECK(r.since({}, trace, 100).events.size() == 1);
  CHECK(r.since({}, trace, 100).seen.sequence == 2);
  CHECK(r.since({}, "co:1", 100).events.empty());
  CHECK(r.last_trace_of("deliver_image") == trace);
  CHECK(r.last_trace_of("deliver").empty());
}

TEST_CASE("texts have a bound, and one that is cut stays UTF-8") {
  trace_record x;
  x.say(std::string(200, 'f'), std::string(200, 't'), std::string(200, 'm'), std::string(298, 'x') + "rö" + "ßer");
  CHECK(x.from() == std::string(trace_record::address_max, 'f'));
  CHECK(x.to() == std::string(trace_record::address_max, 't'));
  CHECK(x.message() == std::string(trace_record::message_max, 'm'));
  CHECK(x.text() == std::string(298, 'x') + "r..."); // The 300th and 301st byte are one letter.
  x.say("a", "b", "c", std::string(trace_record::text_max, 'x'));
  CHECK(x.text() == std::string(trace_record::text_max, 'x'));
}

TEST_CASE("the longest event there can be has room in a line") {
  recorder r{std::string(max_site_name, 's'), UINT32_MAX, {}, {}};
  trace_record x;
  x.unix_ns = -(int64_t{1} << 61); // No line is of an earlier time.
  x.trace = x.cause = event_id{std::string(max_site_name, '\n'), UINT32_MAX, UINT64_MAX};
  std::string bell(400, '\a');
  x.say(bell, bell, bell, bell);
  r.record(x);
  std::string line;
  append_json(line, x);
  auto y = parse_trace_event(line);
  REQUIRE(y);
  CHECK(to_json(*y) == line);
  CHECK(to_json(to_event(x)) == line);
}

TEST_CASE("whoever reads while others write sees whole events only, in order, and which are missing") {
  for (size_t room : {1, 3, 64}) {
    recorder r{"co", 1, {room, "", 0}, {}};
    std::atomic<int> writing{4};
    std::vector<std::thread> writers;
    for (int i = 0; i < 4; ++i)
      writers.emplace_back([&, i] {
        std::string letter(1, static_cast<char>('a' + i));
        for (size_t n = 0; n < 20000; ++n) {
          trace_record x;
          auto length = n * 7 % trace_record::text_max;
          x.say(letter, letter, std::to_string(length), std::string(length, letter[0]));
          r.record(x);
        }
        --writing;
      });
    event_id seen;
    uint64_t last = 0, there = 0, lost = 0, broken = 0;
    for (bool more = true; more;) {
      more = writing > 0;
      auto page = r.since(seen, "", 1000);
      for (auto& x : page.events) {
        broken += x.sequence <= last || x.from != x.to || std::to_string(x.text.size()) != x.message
                  || x.text.find_first_not_of(x.from) != std::string::npos;
        last = x.sequence;
        ++there;
      }
      lost += page.lost;
      seen = page.seen;
    }
    for (auto& x : writers)
      x.join();
    INFO("room for " << room << ": " << there << " events read");
    CHECK(broken == 0);
    CHECK(there + lost == 80000);
    CHECK(last == 80000);
    CHECK(r.events().recorded == 80000);
  }
}

TEST_CASE("a trace file has every event, in order, when its recorder has gone") {
  test::temporary_folder folder;
  {
    recorder r{"co", 7, to_file(folder / "trace.jsonl"), {}};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&r, i] {
        for (int n = 0; n < 2500; ++n)
          note(r, std::to_string(i) + " " + std::to_string(n));
      });
    for (auto& x : threads)
      x.join();
  }
  auto events = events_in(folder / "trace.jsonl");
  CHECK(events.size() == 10000);
  CHECK(lost_of(events, 10000) == 0);
  int next[4] = {};
  for (auto& x : events) {
    CHECK(x.epoch == 7);
    int thread = 0, n = 0;
    REQUIRE(std::sscanf(x.text.c_str(), "%d %d", &thread, &n) == 2);
    CHECK(n == next[thread]++);
  }
}

TEST_CASE("a disk that does not answer makes nobody wait: what the ring cannot hold meanwhile is counted") {
  test::temporary_folder folder;
  auto path = folder / "trace.jsonl";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0); // Takes 64 KiB until somebody reads.
  auto held_open = ::open(path.c_str(), O_RDWR); // Without a writer its end would be read at once.
  auto other_end = ::open(path.c_str(), O_RDONLY);
  REQUIRE(other_end >= 0);
  constexpr uint64_t last = 5000;
  std::string read;
  std::thread reader;
  {
    recorder r{"co", 1, to_file(path, 50), {}};
    for (uint64_t n = 0; n < last; ++n)
      note(r, std::string(trace_record::text_max, 'x'));
    CHECK(r.since({}, "", 100).events.size() == 50);
    CHECK(r.events().recorded == last);
    CHECK(r.events().overrun < last);
    reader = std::thread{[&] {
      char some[4096];
      for (ssize_t n; (n = ::read(other_end, some, sizeof some)) > 0;)
        read.append(some, static_cast<size_t>(n));
    }};
  }
  ::close(held_open);
  reader.join();
  ::close(other_end);
  std::istringstream lines{read};
  auto lost = lost_of(events_of(lines), last);
  CHECK(lost > 0);
  CHECK(lost < last);
}

TEST_CASE("what a disk does not take is counted") {
  test::temporary_folder folder;
  auto path = folder / "not there yet/trace.jsonl";
  {
    recorder r{"co", 1, to_file(path, 10), {}};
    for (int n = 0; n < 500; ++n)
      note(r);
    std::filesystem::create_directory(folder / "not there yet");
    for (int n = 0; n < 500; ++n)
      note(r);
  }
  lost_of(events_in(path), 1000);
}

TEST_CASE("a site without a place for its trace file lives on") {
  recorder r{"co", 1, to_file("/nonexistent/trace"), {}};
  note(r);
  CHECK(r.since({}, "", 10).events.size() == 1);
}

TEST_CASE("a trace file that is full becomes the one before it") {
  test::temporary_folder folder;
  auto path = folder / "trace.jsonl";
  for (uint32_t epoch : {1, 2, 3}) {
    recorder r{"co", epoch, {10, path, 1}, {}};
    note(r);
  }
  CHECK(events_in(path + ".1").at(0).epoch == 2);
  CHECK(events_in(path).at(0).epoch == 3);
}

TEST_CASE("a line that a killed start did not end spoils no other") {
  test::temporary_folder folder;
  auto path = folder / "trace.jsonl";
  std::ofstream{path} << "{\"t\":17";
  {
    recorder r{"co", 2, to_file(path), {}};
    note(r);
  }
  std::ifstream file{path};
  std::string torn;
  std::getline(file, torn);
  CHECK(torn == "{\"t\":17");
  CHECK(events_of(file).at(0).id() == "co:2:1");
}

TEST_CASE("a watcher sees each event with its id, on the thread that records it") {
  std::vector<std::string> seen;
  recorder r{"co", 3, {}, [&](const trace_record& x) {
               seen.push_back(to_string(x.id) + " " + std::string{x.text()});
             }};
  note(r, "one");
  note(r, "two");
  CHECK(seen == std::vector<std::string>{"co:3:1 one", "co:3:2 two"});
}
